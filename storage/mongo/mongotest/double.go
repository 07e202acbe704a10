package mongotest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// startDouble fetches mongo-java-server if needed and starts it on a free port.
func startDouble(ctx context.Context) (*Server, error) {
	root, err := checkout()
	if err != nil {
		return nil, err
	}
	var problem strings.Builder
	script := exec.CommandContext(ctx, filepath.Join(root, "deploy", "setup", "mongo-double.sh"))
	script.Stderr = &problem
	libs, err := script.Output()
	if err != nil {
		return nil, fmt.Errorf("no %s, no mongod on PATH, and %s: %w: %s", variable, script.Path, err, problem.String())
	}
	read, write := io.Pipe()
	java := exec.Command("java", "-Xmx1g", "-XX:+UseSerialGC", "-cp", strings.TrimSpace(string(libs))+"/*",
		filepath.Join(root, "deploy", "setup", "mongo-double", "Double.java"), "0")
	p, err := launch(java, write)
	if err != nil {
		return nil, fmt.Errorf("start the double: %w", err)
	}
	go func() {
		<-p.ended
		write.CloseWithError(errors.New("the double ended"))
	}()
	var port int
	if _, err := fmt.Fscanf(read, "port %d\n", &port); err != nil {
		return nil, errors.Join(fmt.Errorf("the double names no port: %w: %s", err, p.output.String()), p.stop())
	}
	go io.Copy(io.Discard, read)
	s := &Server{uri: fmt.Sprintf("mongodb://127.0.0.1:%d", port), process: p}
	if err := answers(ctx, s.uri, 30*time.Second); err != nil {
		return nil, errors.Join(fmt.Errorf("the double does not answer: %w: %s", err, p.output.String()), p.stop())
	}
	return s, nil
}

// checkout is the folder with go.mod above the working directory, which for a test is its package.
func checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = parent
	}
}
