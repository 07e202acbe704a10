package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// postgres is a cluster of its own, which ends with the bench.
type postgres struct {
	process *process
	addr    string
	dir     string
}

// configuration is what somebody who knows PostgreSQL would set on such a machine; nothing that weakens durability.
const configuration = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_buffers = 256MB
max_connections = 200
synchronous_commit = on
fsync = on
full_page_writes = on
wal_level = replica
max_wal_size = 4GB
min_wal_size = 1GB
checkpoint_timeout = 15min
random_page_cost = 1.1
`

var errNoPostgres = errors.New("no PostgreSQL on this machine")

// postgresBin is the folder of PostgreSQL's programs: that of the newest version, or what PATH has.
func postgresBin() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("postgres")
	if err != nil {
		return "", errNoPostgres
	}
	if path, err = filepath.EvalSymlinks(path); err != nil { // initdb looks for its files beside the real one
		return "", err
	}
	return filepath.Dir(path), nil
}

func version(program string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(program))))
	return n
}

// startPostgres makes an empty cluster under dir and starts it.
func startPostgres(ctx context.Context, dir string) (*postgres, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	root, err := os.MkdirTemp(dir, "postgres-*")
	if err != nil {
		return nil, err
	}
	p := &postgres{dir: root}
	if err := p.start(ctx, bin); err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL: %w", err), p.stop())
	}
	return p, nil
}

func (p *postgres) start(ctx context.Context, bin string) error {
	owner, err := unprivileged(p.dir)
	if err != nil {
		return err
	}
	data := filepath.Join(p.dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C")
	initdb.SysProcAttr, initdb.Dir = owner, p.dir
	if output, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w:\n%s", err, output)
	}
	if p.addr, err = freeAddr(); err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(p.addr)
	if err := appendTo(filepath.Join(data, "postgresql.conf"), configuration+"port = "+port+"\n"); err != nil {
		return err
	}
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data)
	server.SysProcAttr, server.Dir = owner, p.dir
	if p.process, err = launch(server); err != nil {
		return err
	}
	return p.process.until(ctx, func() bool { return p.exec(ctx, "SELECT 1") == nil })
}

// unprivileged gives the directory to a user that PostgreSQL agrees to run as: it refuses root.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	owner, err := user.Lookup("postgres")
	if err != nil {
		if owner, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, os.Chown(dir, uid, gid)
}

func appendTo(path, text string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}

func (p *postgres) url() string { return "postgres://bench@" + p.addr + "/postgres" }

// exec runs statements on a connection of their own.
func (p *postgres) exec(ctx context.Context, statements ...string) error {
	return p.with(ctx, func(conn *pgx.Conn) error {
		for _, statement := range statements {
			if _, err := conn.Exec(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
}

func (p *postgres) with(ctx context.Context, use func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, p.url())
	if err != nil {
		return err
	}
	return errors.Join(use(conn), conn.Close(ctx))
}

// empty drops all tables and writes out what is left to write.
func (p *postgres) empty(ctx context.Context) error {
	return p.exec(ctx, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public", "CHECKPOINT")
}

// syncs is how often the log was synced to disk. PostgreSQL 18 moved the figure.
func (p *postgres) syncs(ctx context.Context) (n float64, err error) {
	err = p.with(ctx, func(conn *pgx.Conn) error {
		if err := conn.QueryRow(ctx, "SELECT wal_sync FROM pg_stat_wal").Scan(&n); err == nil {
			return nil
		}
		return conn.QueryRow(ctx, "SELECT coalesce(sum(fsyncs), 0) FROM pg_stat_io WHERE object = 'wal' AND context = 'normal'").Scan(&n)
	})
	return n, err
}

// version says which PostgreSQL it is.
func (p *postgres) version(ctx context.Context) (text string, err error) {
	err = p.with(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "SELECT current_setting('server_version')").Scan(&text)
	})
	return text, err
}

// stop ends it and removes its data.
func (p *postgres) stop() (err error) {
	if p.process != nil {
		err = p.process.stop(syscall.SIGINT) // "fast": connections are ended
	}
	return errors.Join(err, os.RemoveAll(p.dir))
}
