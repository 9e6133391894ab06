package storagetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of the tests' own connections
)

// PostgresServer is a real PostgreSQL server on a free port of 127.0.0.1, with all that it has in a temporary folder. One
// runs for all tests of a process.
type PostgresServer struct {
	// Port is where it listens. It stays the same over restarts.
	Port int

	dir  string
	bin  string
	as   *syscall.Credential // nil: as whoever runs the tests
	keep io.Closer           // while it is open, the folder stays

	mu sync.Mutex // one databases' maker at a time, and one who stops or starts
	n  int
}

// StopMode is how a PostgreSQL server is stopped.
type StopMode string

// The ways to stop.
const (
	Fast      StopMode = "fast"      // sessions are ended, what is committed is written
	Immediate StopMode = "immediate" // as if it had crashed
)

// PostgresUser is the role of the tests: it may do everything, without a password.
const PostgresUser = "linkstead"

var postgres struct {
	sync.Mutex
	s *PostgresServer
}

// Postgres gives the process's server, and starts it if it does not run. When the process ends, however it ends, the
// server is stopped and its folder removed.
func Postgres(t testing.TB) *PostgresServer {
	t.Helper()
	postgres.Lock()
	defer postgres.Unlock()
	if postgres.s == nil {
		s, err := newPostgres()
		if err != nil {
			t.Fatalf("start PostgreSQL: %v", err)
		}
		postgres.s = s
	}
	return postgres.s
}

// postgresBin finds the newest PostgreSQL on this machine.
func postgresBin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("there is no initdb in /usr/lib/postgresql/*/bin nor in PATH; install the package postgresql (.ci/deps does)")
}

func newPostgres() (s *PostgresServer, err error) {
	s = &PostgresServer{}
	if s.bin, err = postgresBin(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "linkstead-pg-"); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 { // it refuses to run as root
		if err = s.become("postgres"); err != nil {
			return nil, errors.Join(err, os.RemoveAll(s.dir))
		}
	}
	if err = s.guard(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	data := s.data()
	if err = s.tool("initdb", "-D", data, "-U", PostgresUser, "--no-sync", "-E", "UTF8", "--locale=C.UTF-8", "--auth=trust"); err != nil {
		return nil, errors.Join(err, s.keep.Close())
	}
	if err = s.configure(); err != nil {
		return nil, errors.Join(err, s.keep.Close())
	}
	for range 20 { // a port may be taken between the look and the start
		if s.Port, err = unusedPort(); err != nil {
			continue
		}
		if err = s.start(); err == nil {
			return s, nil
		}
	}
	return nil, errors.Join(err, s.keep.Close())
}

func (s *PostgresServer) data() string { return filepath.Join(s.dir, "data") }

// become has the server run as another user, who owns the folder.
func (s *PostgresServer) become(name string) error {
	u, err := user.Lookup(name)
	if err != nil {
		return fmt.Errorf("root needs another user to run it: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return err
	}
	s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(s.dir, int(uid), int(gid))
}

// guard starts a process that outlives this one for a moment: when this one ends, by whatever cause, the pipe between
// them closes, and it kills the server and removes the folder.
func (s *PostgresServer) guard() error {
	c := exec.Command("/bin/sh", "-c", `trap '' INT TERM HUP
		read -r _
		pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null
		n=0
		while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && [ $n -lt 100 ]; do sleep 0.05; n=$((n+1)); done
		rm -rf "$0"`, s.dir)
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	keep, err := c.StdinPipe()
	if err != nil {
		return err
	}
	s.keep = keep
	return c.Start() // nobody waits for it: it waits for us
}

// tool runs one of PostgreSQL's programs.
func (s *PostgresServer) tool(name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	c.Dir = s.dir
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TZ=UTC"}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Setsid: true} // a ^C at the terminal is not for it
	log, err := os.CreateTemp(s.dir, name)                               // a file: a server that was started keeps it, and nobody waits for its end
	if err != nil {
		return err
	}
	c.Stdout, c.Stderr = log, log
	err = c.Run()
	defer func() { _ = os.Remove(log.Name()) }() // the folder goes
	if err := errors.Join(err, log.Close()); err != nil {
		said, _ := os.ReadFile(log.Name())                    // more of the story, if it is there
		server, _ := os.ReadFile(filepath.Join(s.dir, "log")) // the same
		return fmt.Errorf("%s: %w\n%s%s", name, err, said, server[max(0, len(server)-2000):])
	}
	return nil
}

// configure makes it fast, as nothing needs to outlive the machine. What is committed outlives a kill all the same.
func (s *PostgresServer) configure() error {
	conf := `
listen_addresses = '127.0.0.1'
unix_socket_directories = '` + s.dir + `'
max_connections = 200
shared_buffers = 128MB
max_wal_size = 2GB
fsync = off
full_page_writes = off
log_line_prefix = '%t [%p] '
shared_memory_type = mmap
dynamic_shared_memory_type = posix
`
	hba := "local all all trust\nhost all " + PostgresUser + " 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
	f, err := os.OpenFile(filepath.Join(s.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(conf); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.data(), "pg_hba.conf"), []byte(hba), 0o600)
}

// unusedPort finds a port that is free, and below those that the system gives to whoever asks for any.
func unusedPort() (int, error) {
	port := 10000 + rand.IntN(20000)
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return 0, err
	}
	return port, l.Close()
}

func (s *PostgresServer) start() error {
	return s.tool("pg_ctl", "start", "-w", "-t", "60", "-s", "-D", s.data(), "-l", filepath.Join(s.dir, "log"), "-o", "-p "+strconv.Itoa(s.Port))
}

// Stop stops the server. Each of Stop, Start and Restart is for tests that use no server of other tests at the time.
func (s *PostgresServer) Stop(t testing.TB, mode StopMode) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.tool("pg_ctl", "stop", "-w", "-s", "-D", s.data(), "-m", string(mode)); err != nil {
		t.Fatal(err)
	}
}

// Start starts a server that was stopped, on the port that it had.
func (s *PostgresServer) Start(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

// Restart stops the server and starts it.
func (s *PostgresServer) Restart(t testing.TB, mode StopMode) {
	t.Helper()
	s.Stop(t, mode)
	s.Start(t)
}

// Name is a name for storage.OpenDB of a database on the server, for a role without a password.
func (s *PostgresServer) Name(role, database string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", role, s.Port, database)
}

// DSN makes an empty database, which goes after the test, and gives its name for storage.OpenDB. It is a Rows.
func (s *PostgresServer) DSN(t testing.TB) string {
	t.Helper()
	s.mu.Lock()
	s.n++
	name := fmt.Sprintf("test_%d", s.n)
	s.mu.Unlock()
	s.Exec(t, "CREATE DATABASE "+name)
	t.Cleanup(func() {
		s.mu.Lock()
		err := s.tool("pg_ctl", "status", "-D", s.data())
		if err != nil { // the test left it stopped
			err = s.start()
		}
		s.mu.Unlock()
		if err != nil {
			t.Error(err)
			return
		}
		s.Exec(t, "DROP DATABASE "+name+" WITH (FORCE)")
	})
	return s.Name(PostgresUser, name)
}

// Exec runs statements, one by one, in the server's database postgres.
func (s *PostgresServer) Exec(t testing.TB, statements ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := sql.Open("pgx", s.Name(PostgresUser, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range statements {
		if _, e := db.ExecContext(ctx, q); e != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", q, e))
		}
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Error(strings.TrimSpace(err.Error()))
	}
}
