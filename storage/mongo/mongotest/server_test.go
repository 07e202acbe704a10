package mongotest

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestServerThatWasAskedForMustAnswer(t *testing.T) {
	t.Setenv(variable, "mongodb://127.0.0.1:1/?connectTimeoutMS=200")
	t.Setenv("PATH", "")
	s, err := Start()
	if err == nil || !strings.Contains(err.Error(), variable) {
		t.Fatalf("got %v, %v, want an error that names %s", s, err, variable)
	}
}

func TestServerThatWasAskedForIsTakenAndLeftRunning(t *testing.T) {
	own, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := own.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
		if err := answers(t.Context(), own.URI(), 300*time.Millisecond); err == nil && own.process != nil {
			t.Error("the server answers after stop")
		}
	}()
	t.Setenv(variable, own.URI())
	asked, err := Start()
	if err != nil || asked.URI() != own.URI() {
		t.Fatalf("got %v, %v, want the server at %s", asked, err, own.URI())
	}
	if err := asked.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := answers(t.Context(), own.URI(), startLimit); err != nil {
		t.Errorf("the server that was asked for is gone after stop: %v", err)
	}
}

func TestKeeperEndsTheProgramAndRemovesItsData(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := launch(exec.Command("sh", "-c", keeper, "sh", data, "sleep", "600"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.stop(); err != nil {
		t.Fatalf("stop: %v", err)
	}
	if _, err := os.Stat(data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the data is still there: %v", err)
	}
}

func TestVia(t *testing.T) {
	for uri, want := range map[string]string{
		"mongodb://127.0.0.1:5":                        "mongodb://proxy:1/?directConnection=true",
		"mongodb://u:p%40x@a:1,b:2/admin?replicaSet=r": "mongodb://u:p%40x@proxy:1/admin?directConnection=true",
		"mongodb://a/?directConnection=true&tls=false": "mongodb://proxy:1/?tls=false&directConnection=true",
	} {
		if got := (&Server{uri: uri}).Via("proxy:1"); got != want {
			t.Errorf("%s: got %s, want %s", uri, got, want)
		}
	}
}
