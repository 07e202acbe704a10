package httpapi

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

type (
	adjustStockBody struct {
		Delta  int64  `json:"delta" minimum:"-1000000000000" maximum:"1000000000000" doc:"not 0" example:"-3"`
		Reason string `json:"reason" minLength:"1" maxLength:"200" example:"damaged in the warehouse"`
	}
	adjustStockInput struct {
		ProductID string `path:"productId" minLength:"3" maxLength:"100"`
		Body      adjustStockBody
	}
	listMovementsInput struct {
		ProductID string `path:"productId" minLength:"3" maxLength:"100"`
		Limit     *int64 `query:"limit" minimum:"1" maximum:"100" default:"10"`
		Cursor    string `query:"cursor" doc:"opaque; from the Link of the page before"`
	}
)

func (s *Server) stockRoutes() {
	const tag, read, write = "stock", "products:read", "stock:write"
	route(s, operation{id: "adjustStock", method: http.MethodPost, path: "/products/{productId}/stock-adjustments", tag: tag, scope: write,
		summary: "Change the stock by hand", status: http.StatusCreated, answer: product.Movement{}, refusals: []int{404, 409, 412},
		keyed: true, matched: true, tagged: true}, adjustStock)
	route(s, operation{id: "listStockMovements", method: http.MethodGet, path: "/products/{productId}/stock-movements", tag: tag, scope: read,
		summary: "The product's ledger", description: "Every change with its cause and the balance after it, newest first.",
		status: http.StatusOK, answer: product.Movement{}, array: true, refusals: []int{404}, linked: true}, listMovements)
}

func adjustStock(c *call, in *adjustStockInput) (answer, error) {
	if in.Body.Delta == 0 {
		return answer{}, invalid("delta must not be 0")
	}
	reply, err := c.write(kindProduct, in.ProductID, &messages.Command{Body: &messages.Command_AdjustStock{
		AdjustStock: &messages.AdjustStock{Delta: in.Body.Delta, Reason: in.Body.Reason}}},
		c.versionOf(kindProduct, in.ProductID, readProduct("")))
	if err != nil {
		return answer{}, err
	}
	return documentOf(reply), nil
}

func listMovements(c *call, in *listMovementsInput) (answer, error) {
	stream := storage.StreamOf(kindProduct, in.ProductID)
	var before uint64
	if in.Cursor != "" {
		var err error
		if before, err = c.unsealSequence(stream, in.Cursor); err != nil {
			return answer{}, err
		}
	}
	if _, err := c.ask(kindProduct, in.ProductID, readProduct("")); err != nil {
		return answer{}, err
	}
	limit := defaultLimit
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	movements, err := c.movements(stream, before, limit+1)
	if err != nil {
		return answer{}, err
	}
	var a answer
	if len(movements) > limit {
		movements = movements[:limit]
		c.link(&a, map[string]string{"cursor": c.sealSequence(stream, movements[limit-1].Sequence)})
	}
	if a.body, err = json.Marshal(movements); err != nil {
		return answer{}, fmt.Errorf("encode the ledger of %s: %w", stream, err)
	}
	return a, nil
}

// movementInitial is the first line of every ledger.
const movementInitial = "initial"

// movements reads a ledger backwards, from below a sequence (0: from its end) to where this product was created: what
// lies before that belongs to another product that had the same productId.
func (c *call) movements(stream storage.Stream, before uint64, most int) ([]product.Movement, error) {
	const entriesPerRead = 128
	movements := make([]product.Movement, 0, most)
	for {
		entries, err := c.config.History.ReadBack(c.ctx, stream, before, entriesPerRead)
		if err != nil {
			return nil, away{what: "read back " + string(stream), err: err}
		}
		for _, entry := range entries {
			for i := len(entry.Events) - 1; i >= 0; i-- {
				sequence := entry.First + uint64(i)
				if before != 0 && sequence >= before {
					continue
				}
				m, moved, err := movementOf(stream, sequence, entry.Events[i])
				if err != nil {
					return nil, fmt.Errorf("%s sequence %d: %w", stream, sequence, err)
				}
				if moved {
					movements = append(movements, m)
				}
				if len(movements) == most || m.Type == movementInitial {
					return movements, nil
				}
			}
		}
		if len(entries) < entriesPerRead {
			return movements, nil
		}
		before = entries[len(entries)-1].First
	}
}

// movementOf reads an event as a movement; moved is false for one that moves no stock.
func movementOf(stream storage.Stream, sequence uint64, stored storage.Event) (m product.Movement, moved bool, err error) {
	event, err := product.Codec.Decode(stored.Type, stored.Schema, stored.Data)
	if err != nil {
		return m, false, err
	}
	var after product.Balance
	switch e := event.(type) {
	case product.Created:
		m = product.Movement{Type: movementInitial, Quantity: e.Stock}
		after = product.Balance{Stock: e.Stock}
	case product.Adjusted:
		return e.Movement(stream.Identity(), sequence), true, nil
	case product.Held:
		m = product.Movement{Type: "reserve", Quantity: e.Quantity, OrderID: e.OrderID}
		after = e.Balance
	case product.Taken:
		m = product.Movement{Type: "sale", Quantity: e.Quantity, OrderID: e.OrderID}
		after = e.Balance
	case product.Released:
		if e.Quantity == 0 {
			return m, false, nil
		}
		m = product.Movement{Type: "release", Quantity: e.Quantity, OrderID: e.OrderID, Reason: e.Reason}
		after = e.Balance
	case product.Restocked:
		m = product.Movement{Type: "restock", Quantity: e.Quantity, OrderID: e.OrderID, Reason: e.Reason}
		after = e.Balance
	default:
		return m, false, nil
	}
	m.ProductID, m.Sequence, m.CreatedAt = stream.Identity(), sequence, domain.At(stored.At)
	m.StockQuantity, m.ReservedQuantity, m.AvailableQuantity = after.Stock, after.Reserved, after.Stock-after.Reserved
	m.ID = movementID(stream, sequence, m.CreatedAt)
	return m, true, nil
}

// movementID is the _id of a movement whose event has none of its own: a function of its place, so always the same.
func movementID(stream storage.Stream, sequence uint64, at domain.Time) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", stream, sequence))
	return domain.NewID(at, [8]byte(sum[:8]))
}
