package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Conditions are what figures depend on; nothing in them names the machine.
type Conditions struct {
	Date       string  `json:"date"`
	Commit     string  `json:"commit"`
	Processor  string  `json:"processor"`
	Cores      int     `json:"cores"`
	MemoryGiB  float64 `json:"memoryGiB"`
	Kernel     string  `json:"kernel"`
	FileSystem string  `json:"fileSystem"`
	SyncMS     float64 `json:"syncMs"` // median of a write of 4 KiB with fsync
	Go         string  `json:"go"`
	PostgreSQL string  `json:"postgresql"`
	Pairs      int     `json:"pairs"`
	Load       string  `json:"load"` // how long each compared load took
	Quick      bool    `json:"quick"`
	Stored     int     `json:"stored"`
	Catalogue  int     `json:"catalogue"`
}

func (r *run) conditions(ctx context.Context, commit string, quick bool) error {
	c := Conditions{Date: time.Now().UTC().Format("2006-01-02 15:04"), Commit: commit, Cores: runtime.NumCPU(), Go: runtime.Version(),
		Processor: valueIn("/proc/cpuinfo", "model name"), Pairs: r.pairs, Load: r.load.String(), Quick: quick, Stored: r.stored, Catalogue: r.catalogue}
	var kib float64
	_, _ = fmt.Sscanf(valueIn("/proc/meminfo", "MemTotal"), "%f", &kib)
	c.MemoryGiB = kib / (1 << 20)
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		c.Kernel = strings.TrimSpace(string(release))
	}
	var err error
	if c.FileSystem, err = fileSystem(r.dir); err != nil {
		return err
	}
	if c.SyncMS, err = syncTime(r.dir); err != nil {
		return err
	}
	if r.database != nil {
		if c.PostgreSQL, err = r.database.version(ctx); err != nil {
			return err
		}
	}
	return r.add(Record{Part: partConditions, Conditions: &c})
}

// valueIn finds the first "name : value" of a file.
func valueIn(path, name string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close() //nolint:errcheck // only read
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// fileSystem names the kind of file system that a directory is on.
func fileSystem(dir string) (string, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return "", err
	}
	names := map[int64]string{0xef53: "ext4", 0x58465342: "xfs", 0x9123683e: "btrfs", 0x01021994: "tmpfs: nothing is ever on a disk",
		0x794c7630: "overlay", 0x2fc12fc1: "zfs", 0xf2f52010: "f2fs"}
	if name, ok := names[int64(stat.Type)]; ok {
		return name, nil
	}
	return fmt.Sprintf("type %x", stat.Type), nil
}

// syncTime is the median in milliseconds of a small write that is made durable: what every commit waits for.
func syncTime(dir string) (float64, error) {
	file, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return 0, err
	}
	defer os.Remove(file.Name()) //nolint:errcheck // the directory goes, too
	defer file.Close()           //nolint:errcheck // nobody reads it
	times := make([]time.Duration, 200)
	for i := range times {
		start := time.Now()
		if _, err := file.Write(make([]byte, 4096)); err != nil {
			return 0, err
		}
		if err := file.Sync(); err != nil {
			return 0, err
		}
		times[i] = time.Since(start)
	}
	slices.Sort(times)
	return milliseconds(times[len(times)/2]), nil
}
