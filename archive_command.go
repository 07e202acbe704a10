package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/queuecommerce/queuecommerce/storage/sqlite"
)

type archiveCommand struct {
	After *time.Duration `placeholder:"DURATION" help:"Archive what is older than this, such as 24h or 0s; without it, than JOURNAL_ARCHIVE_AFTER."`
}

// Run archives at once what a running shop would archive by and by. Nothing else may have the store open.
func (c archiveCommand) Run(r *run) error {
	if r.config.MongoURI != "" {
		return errors.New("MongoDB holds the journal: only that of the embedded storage is archived")
	}
	after := r.config.JournalArchiveAfter
	switch {
	case c.After != nil:
		after = *c.After
	case after == 0:
		return errors.New("JOURNAL_ARCHIVE_AFTER=0 says never: name an age with --after")
	}
	if after < 0 {
		return fmt.Errorf("--after must not be below 0, as %s is", after)
	}
	store, err := sqlite.Open(r.ctx, r.config.DataDir, sqlite.WithLogger(r.logger))
	if err != nil {
		return err
	}
	var moved sqlite.Moved
	if store.ProjectionsLost() {
		err = errors.New("read models are lost, and what they lack stays in the journal: make them again with replay, or start the shop")
	} else {
		moved, err = store.Archive(r.ctx, systemClock(), after)
	}
	if err = errors.Join(err, store.Close()); err != nil {
		return err
	}
	fmt.Printf("archived %d entries: %d bytes of journal.db are free for new ones, %d were added to archive.db\n",
		moved.Entries, moved.Freed, moved.Written)
	return nil
}
