package chaos

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// edit is a small change of the program's source: of the file, which is named from the module's root or from GOROOT, what
// is found exactly once is replaced.
type edit struct{ file, find, replace string }

// builds makes programs, each once.
type builds struct {
	mu   sync.Mutex
	dir  string
	done map[string]string // by what was asked for
}

// root is the module's folder: tests run in their package's.
const root = ".."

// program builds the program with the edits made to it, and returns its path. The source on disk stays as it is.
func (b *builds) program(t testing.TB, edits ...edit) string {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	name := fmt.Sprint(edits)
	if path, ok := b.done[name]; ok {
		return path
	}
	path := filepath.Join(b.dir, fmt.Sprintf("queuecommerce-%d", len(b.done)))
	args := []string{"build", "-o", path}
	if len(edits) > 0 {
		args = append(args, "-overlay", b.overlay(t, path+".edits", edits))
	}
	command := exec.Command("go", append(args, ".")...)
	command.Dir = root
	output, err := command.CombinedOutput()
	require.NoError(t, err, "build the program with %v: %s", edits, output)
	b.done[name] = path
	return path
}

// overlay writes the edited files into the folder, and what go build has to know of them.
func (b *builds) overlay(t testing.TB, dir string, edits []edit) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o700))
	replaced := map[string]string{}
	for _, e := range edits {
		original := sourceFile(t, e.file)
		from, again := replaced[original]
		if !again {
			from, replaced[original] = original, filepath.Join(dir, fmt.Sprintf("%d-%s", len(replaced), filepath.Base(original)))
		}
		source, err := os.ReadFile(from)
		require.NoError(t, err)
		require.Equal(t, 1, strings.Count(string(source), e.find), "the mutant no longer applies: %s has to hold this exactly once:\n%s", e.file, e.find)
		require.NoError(t, os.WriteFile(replaced[original], []byte(strings.Replace(string(source), e.find, e.replace, 1)), 0o600))
	}
	content, err := json.Marshal(map[string]any{"Replace": replaced})
	require.NoError(t, err)
	file := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(file, content, 0o600))
	return file
}

// sourceFile is the path of a file that an edit names.
func sourceFile(t testing.TB, name string) string {
	t.Helper()
	top, err := filepath.Abs(root)
	require.NoError(t, err)
	if file, ok := strings.CutPrefix(name, "GOROOT/"); ok {
		goroot, err := exec.Command("go", "env", "GOROOT").Output()
		require.NoError(t, err)
		top, name = strings.TrimSpace(string(goroot)), file
	}
	return filepath.Join(top, name)
}

// clockVariable names the file that holds by how much a member's clock is wrong.
const clockVariable = "CHAOS_CLOCK"

// skewedClock lets a member's clock be wrong by what the file says, in seconds. As in a machine whose clock is set, what
// is measured between two moments stays right: only the time of day is wrong.
var skewedClock = []edit{
	{"GOROOT/src/time/time.go", "func Now() Time {\n	sec, nsec, mono := runtimeNow()\n", `// Wrong is by how many seconds the clock is wrong.
var Wrong atomic.Int64

func Now() Time {
	sec, nsec, mono := runtimeNow()
	sec += Wrong.Load()
`},
	{"GOROOT/src/time/time.go", "	\"math/bits\"\n", "	\"math/bits\"\n	\"sync/atomic\"\n"},
	{"clock.go", `import "time"`, `import (
	"os"
	"strconv"
	"time"
)

func init() {
	go func() {
		for range time.Tick(25 * time.Millisecond) {
			content, _ := os.ReadFile(os.Getenv("` + clockVariable + `"))
			if wrong, err := strconv.ParseInt(string(content), 10, 64); err == nil {
				time.Wrong.Store(wrong)
			}
		}
	}()
}`},
}
