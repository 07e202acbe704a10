package chaos

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// preserve writes down, beside the logs, what a violation can be understood by: the journal, what was heard of it, the
// provider's calls, and what every client did.
func (r result) preserve() error {
	return errors.Join(
		r.write("journal.txt", func(to *bufio.Writer) error {
			return r.world.scan(context.Background(), func(e storage.Entry) error {
				for i, event := range e.Events {
					fmt.Fprintf(to, "%s %d writer %s entry %d at %s %s command %q cause %q %s\n", e.Stream, e.First+uint64(i), e.Writer, e.Number,
						event.At.UTC().Format(time.RFC3339Nano), event.Type, event.Command, event.Cause, event.Data)
				}
				return nil
			})
		}),
		r.write("heard.txt", func(to *bufio.Writer) error {
			for _, d := range r.world.hears.first {
				fmt.Fprintf(to, "%s %s %v %v %s\n", d.MessageId, d.RoutingKey, d.Headers["aggregate"], d.Headers["sequence"], d.Body)
			}
			return nil
		}),
		r.write("provider.txt", func(to *bufio.Writer) error {
			for _, c := range r.world.provider.Requests() {
				fmt.Fprintf(to, "%s %s key %s status %d replayed %t fault %q %v\n", c.Step, c.Path, c.Key, c.Status, c.Replayed, c.Fault, c.Form)
			}
			return nil
		}),
		r.write("history.txt", func(to *bufio.Writer) error {
			for _, o := range r.history.all() {
				fmt.Fprintln(to, o)
			}
			return nil
		}))
}

func (r result) write(name string, fill func(*bufio.Writer) error) error {
	file, err := os.Create(filepath.Join(r.world.dir, name))
	if err != nil {
		return err
	}
	to := bufio.NewWriter(file)
	return errors.Join(fill(to), to.Flush(), file.Close())
}
