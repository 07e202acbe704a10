package httpapi

import (
	"net/url"
	"strconv"

	"github.com/queuecommerce/queuecommerce/storage"
)

const (
	defaultLimit = 10
	maxSkip      = 10_000 // documents that a page may lie behind; further on, a store would count for nothing
)

// window is the part of a list that was asked for.
type window struct {
	limit, page int
	after       storage.Position
	skip        int
}

// windowOf reads limit, page and cursor; nil means not given.
func (s *Server) windowOf(list storage.Collection, limit, page *int64, cursor string) (window, error) {
	w := window{limit: defaultLimit, page: 1}
	if limit != nil {
		w.limit = int(*limit)
	}
	if page != nil {
		if cursor != "" {
			return w, invalid("page can't be given together with cursor")
		}
		if *page > maxSkip || int(*page)*w.limit > maxSkip {
			return w, invalid("page must be at most " + strconv.Itoa(maxSkip/w.limit) + " with this limit; follow the cursor to read further")
		}
		w.page = int(*page)
		w.skip = (w.page - 1) * w.limit
	}
	if cursor == "" {
		return w, nil
	}
	var err error
	w.after, w.page, err = s.unsealPosition(list, cursor)
	return w, err
}

// list reads one window of a read model and whether there is more behind it.
func (c *call) list(filter storage.Filter, w window) (documents []storage.Document, more bool, err error) {
	documents, err = c.config.Lists.List(c.ctx, filter, w.after, w.skip, w.limit+1)
	if err != nil {
		return nil, false, away{what: "list " + string(filter.Collection), err: err}
	}
	if len(documents) > w.limit {
		return documents[:w.limit], true, nil
	}
	return documents, false, nil
}

// listed answers with a bare array and, when there is more, a link to it.
func (c *call) listed(filter storage.Filter, limit, page *int64, cursor string) (answer, error) {
	w, err := c.windowOf(filter.Collection, limit, page, cursor)
	if err != nil {
		return answer{}, err
	}
	documents, more, err := c.list(filter, w)
	if err != nil {
		return answer{}, err
	}
	a := answer{body: bodies(documents)}
	if more {
		c.linkDocuments(&a, filter.Collection, documents, w.page+1)
	}
	return a, nil
}

// linkDocuments adds the link to what comes after the documents: the page of that number.
func (c *call) linkDocuments(a *answer, list storage.Collection, documents []storage.Document, page int) {
	last := documents[len(documents)-1]
	c.link(a, map[string]string{"cursor": c.sealPosition(list, storage.Position{Created: last.Created, ID: last.ID}, page)})
}

// link adds a link to the next page: this request with the query changed.
func (c *call) link(a *answer, changes map[string]string) {
	query, err := url.ParseQuery(string(c.fiber.Request().URI().QueryString()))
	if err != nil {
		query = url.Values{} // what could not be read was not looked at either, save for the names below
		for name := range c.fiber.Context().QueryArgs().All() {
			query.Set(string(name), string(c.fiber.Context().QueryArgs().PeekBytes(name)))
		}
	}
	query.Del("page")
	for name, value := range changes {
		query.Set(name, value)
	}
	a.header("Link", "<"+c.visit.prefix+c.fiber.Path()+"?"+query.Encode()+`>; rel="next"`)
}

// bodies joins answer documents to an array.
func bodies(documents []storage.Document) []byte {
	size := 2
	for _, d := range documents {
		size += len(d.Body) + 1
	}
	body := append(make([]byte, 0, size), '[')
	for i, d := range documents {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, d.Body...)
	}
	return append(body, ']')
}
