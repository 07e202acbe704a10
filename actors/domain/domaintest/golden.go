package domaintest

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

var (
	update = flag.Bool("update", false, "write golden files that are missing")
	force  = flag.Bool("force", false, "with -update: also overwrite golden files that differ; journals written with them become unreadable")
)

const goldenDir = "testdata"

// Golden holds the stored form of a package's events fixed. There is one example per event type of the codec, with every
// field set; testdata has each as <type>.v<schema>.json. Every golden file, also of an older schema or of a type that is
// no longer written, must still be read; those of the current schema must come out again byte for byte. With -update
// missing files are written; an existing one is left alone unless -force is given too.
func Golden[E Event](t *testing.T, codec domain.Codec[E], examples ...E) {
	t.Helper()
	byType := map[string]E{}
	for _, e := range examples {
		if _, ok := byType[e.EventType()]; ok {
			t.Errorf("two examples of %s", e.EventType())
		}
		byType[e.EventType()] = e
	}
	if declared := declaredTypes(t); !slices.Equal(declared, codec.Types()) {
		t.Errorf("the codec knows %v, the package declares %v", codec.Types(), declared)
	}
	for _, eventType := range codec.Types() {
		t.Run(eventType, func(t *testing.T) {
			example, ok := byType[eventType]
			if !ok {
				t.Fatalf("no example")
			}
			for _, field := range unset(reflect.ValueOf(example), eventType) {
				t.Errorf("%s is not set in the example", field)
			}
			compare(t, codec, example)
		})
	}
	stillRead(t, codec)
}

func goldenPath(eventType string, schema int) string {
	return filepath.Join(goldenDir, fmt.Sprintf("%s.v%d.json", eventType, schema))
}

func compare[E Event](t *testing.T, codec domain.Codec[E], example E) {
	t.Helper()
	data, err := codec.Encode(example)
	if err != nil {
		t.Fatal(err)
	}
	path := goldenPath(example.EventType(), domain.CurrentSchema)
	golden, err := os.ReadFile(path)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		t.Fatal(err)
	}
	golden = bytes.TrimSuffix(golden, []byte("\n"))
	if bytes.Equal(golden, data) {
		return
	}
	switch {
	case missing && *update, *update && *force:
		if err := os.MkdirAll(goldenDir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(data, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	case missing:
		t.Errorf("%s is missing; -update writes it", path)
	case *update:
		t.Errorf("%s is released and differs: give the shape a new schema version, or use -force if no journal has it\nfile:    %s\nexample: %s", path, golden, data)
	default:
		t.Errorf("%s differs\nfile:    %s\nexample: %s", path, golden, data)
	}
}

var goldenName = regexp.MustCompile(`^(.+)\.v([0-9]+)\.json$`)

func stillRead[E Event](t *testing.T, codec domain.Codec[E]) {
	t.Helper()
	files, err := os.ReadDir(goldenDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if file.IsDir() { // seeds of fuzz and property tests
			continue
		}
		match := goldenName.FindStringSubmatch(file.Name())
		if match == nil {
			t.Errorf("%s is no golden file's name", file.Name())
			continue
		}
		schema, err := strconv.Atoi(match[2])
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(goldenDir, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		data = bytes.TrimSuffix(data, []byte("\n"))
		event, err := codec.Decode(match[1], schema, data)
		if err != nil {
			t.Errorf("%s can't be read any more: %v", file.Name(), err)
			continue
		}
		if again, err := codec.Encode(event); schema == domain.CurrentSchema && (err != nil || !bytes.Equal(again, data)) {
			t.Errorf("%s comes out as\n%s (%v), wanted\n%s", file.Name(), again, err, data)
		}
	}
}

// unset lists the fields, at any depth, that have their zero value.
func unset(v reflect.Value, name string) []string {
	if v.IsZero() {
		return []string{name}
	}
	var names []string
	switch v.Kind() {
	case reflect.Pointer:
		if v.Elem().Kind() == reflect.Struct {
			return unset(v.Elem(), name)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			names = append(names, unset(v.Field(i), name+"."+v.Type().Field(i).Name)...)
		}
	case reflect.Slice:
		if v.Len() == 0 {
			return []string{name}
		}
		for i := range v.Len() {
			names = append(names, unset(v.Index(i), fmt.Sprintf("%s[%d]", name, i))...)
		}
	}
	return names
}

// declaredTypes reads the package's source for the texts that its EventType methods return.
func declaredTypes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			method, ok := declaration.(*ast.FuncDecl)
			if !ok || method.Recv == nil || method.Name.Name != "EventType" {
				continue
			}
			types = append(types, returnedText(t, method))
		}
	}
	slices.Sort(types)
	return types
}

func returnedText(t *testing.T, method *ast.FuncDecl) string {
	t.Helper()
	if len(method.Body.List) == 1 {
		if statement, ok := method.Body.List[0].(*ast.ReturnStmt); ok && len(statement.Results) == 1 {
			if literal, ok := statement.Results[0].(*ast.BasicLit); ok {
				text, err := strconv.Unquote(literal.Value)
				if err == nil {
					return text
				}
			}
		}
	}
	t.Fatal("an EventType method does not return one plain text")
	return ""
}
