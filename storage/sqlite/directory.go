package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const (
	journalName = "journal.db"
	archiveName = "archive.db"
	readName    = "read.db"
	lockName    = "lock"
)

// ErrInUse says that another process, or another Store of this one, has the directory open.
var ErrInUse = errors.New("data directory is in use by another process")

// claim makes the directory and takes its lock, which lasts until the file is closed.
func claim(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	taken, err := flock(f)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	if !taken {
		owner, _ := io.ReadAll(io.LimitReader(f, 32))
		_ = f.Close()
		return nil, fmt.Errorf("%w: %s (process %s)", ErrInUse, dir, strings.TrimSpace(string(owner)))
	}
	if err := f.Truncate(0); err == nil {
		_, _ = fmt.Fprintln(f, os.Getpid()) // only for the other process's message
	}
	return f, nil
}

// private makes the database file before SQLite does, because SQLite gives its other files the same permissions.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Chmod(0o600)
}

// files are those that must stay where they were: what is written to a deleted file is lost when the process ends.
type files map[string]os.FileInfo

func (f files) watch(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f[path] = info
	return nil
}

func (f files) check() error {
	for path, opened := range f {
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("file vanished: %w", err)
		}
		if !os.SameFile(opened, info) {
			return fmt.Errorf("file %s was replaced by another", path)
		}
	}
	return nil
}

func discard(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
