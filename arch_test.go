package main_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/queuecommerce/queuecommerce"

// rules is the import rule: what each package may import of this module. Imports go down only, and siblings never
// import each other; the rules of the shop import nothing but the kernel.
var rules = map[string][]string{
	".":                        {"actors", "actors/gateway", "actors/order", "bench", "bridge", "cluster", "httpapi", "seed", "storage", "storage/mongo", "storage/sqlite", "verify"},
	"actors":                   {"actors/domain", "actors/order", "actors/product", "actors/payment", "actors/claim", "actors/webhook", "actors/gateway", "messages", "storage"},
	"actors/actorstest":        {"actors", "actors/domain", "actors/order", "actors/product", "actors/payment", "actors/gateway", "cluster/inquiry", "messages", "storage"},
	"actors/domain":            {},
	"actors/order":             {"actors/domain"},
	"actors/product":           {"actors/domain"},
	"actors/payment":           {"actors/domain"},
	"actors/claim":             {"actors/domain"},
	"actors/webhook":           {"actors/domain"},
	"actors/simulation":        {},
	"actors/domain/domaintest": {"actors/domain"},
	"actors/gateway":           {"actors/domain", "actors/gateway/internal/testcard"},
	"bench":                    {},
	"bridge":                   {"actors/domain", "actors/order", "actors/product", "actors/payment", "messages", "storage"},
	"cluster":                  {"cluster/inquiry", "messages", "storage"},
	"chaos":                    {},
	"cluster/inquiry":          {},
	"httpapi":                  {"actors/domain", "actors/order", "actors/product", "actors/payment", "actors/gateway", "messages", "storage"},
	"messages":                 {},
	"seed":                     {},
	"storage":                  {},
	"storage/faulty":           {"storage"},
	"storage/memory":           {"storage"},
	"storage/mongo":            {"storage"},
	"storage/sqlite":           {"storage"},
	"storage/storagetest":      {"storage"},
	"verify":                   {"actors/domain", "actors/order", "actors/product", "actors/payment", "actors/claim", "actors/webhook", "storage"},
}

// libraries says where a library may appear, so that replacing it stays the matter of one folder.
var libraries = map[string][]string{
	"github.com/asynkron/protoactor-go":  {"actors", "actors/actorstest", "cluster", "cluster/inquiry"},
	"go.mongodb.org/mongo-driver":        {"storage/mongo", "storage/mongo/mongotest"},
	"github.com/go-json-experiment/json": {"actors/gateway", "httpapi"},
	"github.com/gofiber/fiber":           {"httpapi"},
	"github.com/klauspost/compress":      {"storage/sqlite"},
	"github.com/rabbitmq/amqp091-go":     {"bridge", "bridge/bridgetest"},
	"github.com/stripe/stripe-go":        {"actors/gateway"},
	"zombiezen.com/go/sqlite":            {"storage/sqlite"},
}

type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	require.NoError(t, err)
	var all []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else {
			require.NoError(t, err)
		}
		all = append(all, p)
	}
}

func local(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

func TestImportsGoDownOnly(t *testing.T) {
	for _, p := range packages(t) {
		allowed, known := rules[local(p.ImportPath)]
		for _, imported := range p.Imports {
			if !strings.HasPrefix(imported, module) || !known {
				continue
			}
			require.Contains(t, allowed, local(imported), "%s must not import it", p.ImportPath)
		}
		if !known {
			require.True(t, strings.HasSuffix(p.ImportPath, "test") || strings.Contains(p.ImportPath, "/internal/"),
				"%s has no import rule yet", p.ImportPath)
		}
	}
}

func TestTheRulesUseTheStandardLibraryOnly(t *testing.T) {
	for _, p := range packages(t) {
		switch local(p.ImportPath) {
		case "actors/domain", "actors/order", "actors/product", "actors/payment", "actors/claim", "actors/webhook":
			for _, imported := range p.Imports {
				first, _, _ := strings.Cut(imported, "/")
				require.True(t, !strings.Contains(first, ".") || strings.HasPrefix(imported, module+"/actors/domain"), "%s imports %s", p.ImportPath, imported)
				require.NotContains(t, []string{"math/rand", "math/rand/v2", "crypto/rand", "os", "net", "net/http", "log/slog"}, imported, p.ImportPath)
			}
		}
	}
}

func TestLibrariesStayInTheirFolders(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			for library, folders := range libraries {
				if strings.HasPrefix(imported, library) {
					require.Contains(t, folders, local(p.ImportPath), "%s imports %s", p.ImportPath, imported)
				}
			}
		}
	}
}
