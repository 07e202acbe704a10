package sqlite

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// flock takes a byte far behind the text of the file, so that the text stays readable for others.
func flock(f *os.File) (taken bool, err error) {
	place := &windows.Overlapped{OffsetHigh: 1}
	err = windows.LockFileEx(windows.Handle(f.Fd()),
		windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, place)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION), errors.Is(err, windows.ERROR_IO_PENDING):
		return false, nil
	}
	return false, err
}
