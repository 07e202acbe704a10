package actors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// projector keeps the read models, snapshots and deadlines behind the journal: it stores the newest state of every
// entity that has changed, a few times a second, however often it changed. After a crash it makes again what is missing
// from the journal's tail above the writer's mark.
type projector struct {
	host *Host

	mu    sync.Mutex
	dirty map[storage.Stream]change
	mark  uint64 // everything up to here is in dirty, or stored
	under int    // how many more are under way to the store

	flushes int                     // so far
	often   map[storage.Stream]bool // products that one of the last flushes has stored
	stored  uint64                  // the mark as stored
	room    chan struct{}           // tells a committer that waits that some have been stored
	closing chan struct{}
	once    sync.Once
	ctx     context.Context
	cancel  context.CancelFunc
}

type change struct {
	since    uint64 // number of the entry that has made it dirty
	version  uint64
	frozen   frozen
	due      time.Time
	snapshot []byte
}

func newProjector(h *Host) *projector {
	p := &projector{host: h, dirty: make(map[storage.Stream]change), often: make(map[storage.Stream]bool), room: make(chan struct{}, 1), closing: make(chan struct{})}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// committed notes what became durable. The committer calls it in commit order, before anybody is answered. The mark stays
// at numbers that are in the journal: after a restart the writer goes on behind the last of those.
func (p *projector) committed(batches []*batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range batches {
		if b.err != nil {
			continue
		}
		p.mark = b.entry.Number
		c := change{since: b.entry.Number, version: b.entry.Last(), frozen: b.frozen, due: b.due, snapshot: b.snapshot}
		if older, ok := p.dirty[b.entry.Stream]; ok {
			c = c.after(older)
		}
		p.dirty[b.entry.Stream] = c
	}
}

func (p *projector) close() { p.once.Do(func() { close(p.closing) }) }
func (p *projector) abort() { p.cancel() }

func (p *projector) run() {
	defer p.cancel()
	ticker := time.NewTicker(p.host.FlushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-p.closing:
			p.flush(true)
			return
		case <-ticker.C:
			p.flush(false)
		}
	}
}

const (
	// maxBehind is how many entities may wait for the read models before commits wait for those: what waits is in memory.
	maxBehind = 8192
	// hurryBehind is from how many on the projector makes no pauses.
	hurryBehind = 2048
	// brakeAtMost bounds how long one commit waits: orders go on, slowly, where read models can't be stored.
	brakeAtMost = 100 * time.Millisecond
)

// behind is how many entities have changed since they were stored.
func (p *projector) behind() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.dirty) + p.under
}

// Behind is how many entities have changed since the read models were stored.
func (h *Host) Behind() int { return h.projector.behind() }

// brake holds the committer up while the projector is too far behind, until it has got on.
func (p *projector) brake(ctx context.Context) {
	if p.behind() < maxBehind {
		return
	}
	select {
	case <-p.room:
	case <-time.After(brakeAtMost):
	case <-ctx.Done():
	}
}

// advance notes that some have been stored, and that those left are still under way.
func (p *projector) advance(left int) {
	p.mu.Lock()
	p.under = left
	p.mu.Unlock()
	select {
	case p.room <- struct{}{}:
	default:
	}
}

// chunk bounds one Save, so that readers and the journal are not held up by it: buyers see its length in their slowest
// answers.
const chunk = 128

// flush stores what is dirty, in the end all of it.
func (p *projector) flush(all bool) {
	p.mu.Lock()
	dirty, mark := p.dirty, p.mark
	p.dirty = make(map[storage.Stream]change, len(dirty))
	if !all {
		mark = p.postpone(dirty, mark)
	}
	p.under = len(dirty)
	p.mu.Unlock()
	defer p.advance(0)
	if len(dirty) == 0 && mark == p.stored {
		return
	}
	if err := p.save(dirty, mark); err != nil {
		p.host.Logger.Warn("projections not stored, trying again", "entities", len(dirty), "err", err)
		p.keep(dirty)
		return
	}
	p.stored = mark
}

const (
	// oftenFlushes is how many flushes what changes all the time may wait for: that is a second.
	oftenFlushes = 5
	// maxOften is how many may wait so: they are in memory, and count among those that commits wait for in the end.
	maxOften = 1024
)

// postpone leaves products dirty that one of the last flushes has stored. While many are sold most of them change between any
// two flushes, and each that is stored is a page written. The mark can't pass them.
func (p *projector) postpone(dirty map[storage.Stream]change, mark uint64) uint64 {
	if p.flushes++; p.flushes%oftenFlushes == 0 {
		clear(p.often)
	}
	for stream, c := range dirty {
		switch {
		case stream.Kind() != KindProduct:
		case p.often[stream]:
			p.dirty[stream] = c
			delete(dirty, stream)
			mark = min(mark, c.since-1)
		case len(p.often) < maxOften:
			p.often[stream] = true
		}
	}
	return mark
}

// after takes over what the older change of the same entity, which was not stored yet, has and this one has not.
func (c change) after(older change) change {
	c.since = older.since
	if c.snapshot == nil { // one that was not stored yet is worth more than none
		c.snapshot = older.snapshot
	}
	return c
}

// keep puts back what could not be stored, unless there is something newer.
func (p *projector) keep(dirty map[storage.Stream]change) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for stream, c := range dirty {
		if newer, ok := p.dirty[stream]; ok {
			c = newer.after(c)
		}
		p.dirty[stream] = c
	}
}

func (p *projector) save(dirty map[storage.Stream]change, mark uint64) error {
	projections := make([]storage.Projection, 0, min(len(dirty), chunk))
	began, left := time.Now(), len(dirty)
	for _, t := range inTurn(dirty) {
		projection, err := render(t.stream, dirty[t.stream])
		if err != nil {
			return err
		}
		if projections = append(projections, projection); len(projections) == chunk {
			if err := p.host.Store.Save(p.ctx, projections, p.host.Writer, 0); err != nil {
				return err
			}
			left -= len(projections)
			projections = projections[:0:0]
			p.advance(left)
			p.giveWay(time.Since(began))
			began = time.Now()
		}
	}
	return p.host.Store.Save(p.ctx, projections, p.host.Writer, mark)
}

// inTurn begins with what has been dirty for longest: read models lie in the order of time, so what is new goes to their
// end. It keeps together what stores keep together: an order and its payment have the same identity.
func inTurn(dirty map[storage.Stream]change) []turn {
	firsts := make(map[string]uint64, len(dirty)) // by identity
	turns := make([]turn, 0, len(dirty))
	for stream, c := range dirty {
		identity := stream.Identity()
		if first, ok := firsts[identity]; !ok || c.since < first {
			firsts[identity] = c.since
		}
		turns = append(turns, turn{stream: stream})
	}
	for i := range turns {
		turns[i].first = firsts[turns[i].stream.Identity()]
	}
	slices.SortFunc(turns, func(a, b turn) int { return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.stream, b.stream)) })
	return turns
}

type turn struct {
	first  uint64 // number of the entry that has made its identity dirty
	stream storage.Stream
}

// giveWay pauses for as long as the last chunk took: read models are not as urgent as the orders that they show, until
// there are many behind.
func (p *projector) giveWay(took time.Duration) {
	if p.behind() >= hurryBehind {
		return
	}
	select {
	case <-time.After(took):
	case <-p.closing:
	case <-p.ctx.Done():
	}
}

func render(stream storage.Stream, c change) (storage.Projection, error) {
	documents, err := c.frozen.documents()
	if err != nil {
		return storage.Projection{}, fmt.Errorf("project %s version %d: %w", stream, c.version, err)
	}
	return storage.Projection{Stream: stream, Version: c.version, Due: c.due, Documents: documents, Snapshot: c.snapshot}, nil
}

// catchUp stores the projections of what this writer's earlier life left above its mark.
func (p *projector) catchUp(ctx context.Context) error {
	writers, err := p.host.Store.Writers(ctx)
	if err != nil {
		return err
	}
	for _, w := range writers {
		if w.Writer == p.host.Writer {
			p.mark, err = p.catchUpWriter(ctx, w)
			p.stored = p.mark
			return err
		}
	}
	return nil
}

func (p *projector) catchUpWriter(ctx context.Context, w storage.Marks) (uint64, error) {
	const page = 1000
	for {
		entries, err := p.host.Store.Committed(ctx, w.Writer, w.Projected, page)
		if err != nil || len(entries) == 0 {
			return w.Projected, err
		}
		streams := make(map[storage.Stream]bool)
		for _, e := range entries {
			streams[e.Stream] = true
			w.Projected = e.Number
		}
		if err := p.host.project(ctx, streams, w.Writer, w.Projected); err != nil {
			return w.Projected, err
		}
	}
}

// project stores the projections of the streams from the journal, and moves the mark.
func (h *Host) project(ctx context.Context, streams map[storage.Stream]bool, writer string, mark uint64) error {
	projections := make([]storage.Projection, 0, len(streams))
	for stream := range streams {
		projection, err := h.Project(ctx, stream)
		if err != nil {
			return err
		}
		projections = append(projections, projection)
	}
	return h.Store.Save(ctx, projections, writer, mark)
}

// Project makes the projection of one stream from the journal.
func (h *Host) Project(ctx context.Context, stream storage.Stream) (storage.Projection, error) {
	loaded, err := h.load(ctx, stream)
	if err != nil {
		return storage.Projection{}, err
	}
	c := change{version: loaded.version, frozen: loaded.entity.freeze(), due: due(loaded.entity.agenda(), h.Clock())}
	if _, ok := loaded.entity.(snapshotter); ok {
		c.snapshot = loaded.snapshot()
	}
	return render(stream, c)
}

// Replay makes all projections again from the journal alone.
func (h *Host) Replay(ctx context.Context) (streams int, err error) {
	if err := h.Store.Reset(ctx); err != nil {
		return 0, err
	}
	var all []storage.Stream // in the order in which they began: read models lie in the order of time
	err = h.Store.Scan(ctx, func(e storage.Entry) error {
		if e.First == 1 {
			all = append(all, e.Stream)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	var projections []storage.Projection
	for _, stream := range all {
		projection, err := h.Project(ctx, stream)
		if err != nil {
			return streams, err
		}
		if projections = append(projections, projection); len(projections) == chunk {
			if err := h.Store.Save(ctx, projections, "", 0); err != nil {
				return streams, err
			}
			projections = projections[:0:0]
		}
	}
	if err := h.Store.Save(ctx, projections, "", 0); err != nil {
		return streams, err
	}
	return len(all), h.markAll(ctx)
}

// markAll moves every writer's projected mark to its end: everything has just been projected.
func (h *Host) markAll(ctx context.Context) error {
	writers, err := h.Store.Writers(ctx)
	if err != nil {
		return err
	}
	for _, w := range writers {
		last, err := h.Store.Enlist(ctx, w.Writer)
		if err == nil {
			err = h.Store.Advance(ctx, w.Writer, storage.MarkProjected, last)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// patience is how long an entity may work on its task before the sweeper looks after it.
const patience = 5 * time.Second

// longPatience is the same for a task that mostly waits for people; the longest that there is.
const longPatience = time.Minute

// due is when an entity that has this agenda now must be woken if nobody did.
func due(a agenda, now time.Time) time.Time {
	if a.task == "" {
		return a.wake.Std()
	}
	due := now.Add(cmp.Or(a.patience, patience))
	if wake := a.wake.Std(); !wake.IsZero() && wake.Before(due) {
		return wake
	}
	return due
}

// loaded is an entity with what the host keeps beside its state.
type loaded struct {
	entity   entity
	version  uint64
	restored uint64 // version of the snapshot that it began with: that holds the state, not what commands were answered
	inbox    map[string]receipt
	trace    string // trace context of the newest command that had one: what the entity does by itself goes on with it

	snapshotSize int // of the newest snapshot
}

// receipt is the memory of a command: which version it led to, and what exactly it asked.
type receipt struct {
	Version     uint64 `json:"version"`
	Fingerprint string `json:"fingerprint,omitempty"`
}

// load recovers an entity: snapshot, then the journal's tail.
func (h *Host) load(ctx context.Context, stream storage.Stream) (loaded, error) {
	l := loaded{entity: h.newEntity(stream.Kind(), stream.Identity())}
	if l.entity == nil {
		return l, fmt.Errorf("load %s: unknown kind", stream)
	}
	if _, ok := l.entity.(snapshotter); ok {
		stored, err := h.Store.Snapshot(ctx, stream)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return l, fmt.Errorf("load %s: %w", stream, err)
		}
		if len(stored.Snapshot) > 0 {
			if err := l.restore(stored.Snapshot); err != nil {
				h.Logger.Warn("snapshot not readable, folding the stream", "stream", string(stream), "err", err)
				l = loaded{entity: h.newEntity(stream.Kind(), stream.Identity())}
			}
		}
	}
	entries, err := h.Store.Read(ctx, stream, l.version, 0)
	if err != nil {
		return l, fmt.Errorf("load %s: %w", stream, err)
	}
	for _, e := range entries {
		if err := l.replay(e); err != nil {
			return l, fmt.Errorf("load %s: %w", stream, err)
		}
	}
	return l, nil
}

// replay folds the part of the entry that is above the version.
func (l *loaded) replay(e storage.Entry) error {
	l.trace = cmp.Or(e.Trace, l.trace)
	for i, event := range e.Events {
		sequence := e.First + uint64(i)
		if sequence <= l.version {
			continue
		}
		if sequence != l.version+1 {
			return fmt.Errorf("sequence %d follows %d", sequence, l.version)
		}
		if err := l.entity.replay(event); err != nil {
			return fmt.Errorf("sequence %d: %w", sequence, err)
		}
		l.version = sequence
		l.remember(event.Command, sequence)
	}
	return nil
}
