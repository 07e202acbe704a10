package httpapi

import (
	"bytes"
	"errors"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

const (
	kindOrder   = "order"
	kindProduct = "product"
	kindPayment = "payment"
	kindClaim   = "claim"
	kindWebhook = "webhook"
)

// write sends the client's intent to the entity that carries it out. current reads the entity's version, for If-Match.
func (c *call) write(kind, identity string, cmd *messages.Command, current func() (uint64, error)) (*messages.Reply, error) {
	var err error
	if cmd.Id, err = c.commandID(); err != nil {
		return nil, err
	}
	if c.key != "" {
		if cmd.Fingerprint, err = c.fingerprint(); err != nil {
			return nil, err
		}
	}
	if cmd.IfMatch, err = c.match.expected(current); err != nil {
		return nil, err
	}
	return c.ask(kind, identity, cmd)
}

// ask sends a read or a step that may be repeated as it is. A refusal comes back as an error of type refused.
func (c *call) ask(kind, identity string, cmd *messages.Command) (*messages.Reply, error) {
	cmd.Cause = c.op.cause()
	cmd.Traceparent = c.visit.trace
	if deadline, ok := c.ctx.Deadline(); ok {
		cmd.Deadline = deadline.UnixMilli()
	}
	reply, err := c.config.Asker.Ask(c.ctx, kind, identity, cmd)
	if err != nil {
		return nil, away{what: "ask " + kind, err: err}
	}
	if reply.GetRefusal() != nil {
		return reply, refused{reply.GetRefusal()}
	}
	return reply, nil
}

// documentOf is a reply as an answer.
func documentOf(reply *messages.Reply) answer {
	return answer{body: reply.GetDocument(), version: reply.GetVersion()}
}

// newest answers from the read models, if they hold what the entity would say: most that are looked at have long been
// settled, and need not be woken.
func (c *call) newest(kind, identity string, collection storage.Collection, id string) (answer, bool) {
	if c.config.Newest == nil {
		return answer{}, false
	}
	d, p, err := c.config.Newest.Newest(c.ctx, storage.StreamOf(kind, identity), collection, id)
	return answer{body: d.Body, version: p.Version}, err == nil
}

// read asks an entity for its document.
func (c *call) read(kind, identity string, cmd *messages.Command) (answer, error) {
	reply, err := c.ask(kind, identity, cmd)
	if err != nil {
		return answer{}, err
	}
	return documentOf(reply), nil
}

// versionOf reads an entity's version.
func (c *call) versionOf(kind, identity string, read *messages.Command) func() (uint64, error) {
	return func() (uint64, error) {
		reply, err := c.ask(kind, identity, read)
		return reply.GetVersion(), err
	}
}

// documentID reads the _id, with which every answer document begins.
func documentID(document []byte) (string, bool) {
	rest, ok := bytes.CutPrefix(document, []byte(`{"_id":"`))
	id, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(id), ok && domain.IsID(string(id))
}

// isRefused says whether the error is an entity's refusal of that kind.
func isRefused(err error, kind domain.Kind) bool {
	var no refused
	return errors.As(err, &no) && no.is(kind)
}
