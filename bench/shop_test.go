package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakeShop confirms each order when it is asked for it the second time, half a minute after it was placed by its clock.
type fakeShop struct {
	mu     sync.Mutex
	orders []map[string]any
	asked  map[string]int
	lines  [][]string
}

const later = 30 * time.Second

func (s *fakeShop) place(w http.ResponseWriter, r *http.Request) {
	var body struct{ Items []struct{ ProductID string } }
	_ = json.NewDecoder(r.Body).Decode(&body)
	s.mu.Lock()
	defer s.mu.Unlock()
	var products []string
	for _, item := range body.Items {
		products = append(products, item.ProductID)
	}
	s.lines = append(s.lines, products)
	order := map[string]any{"_id": fmt.Sprintf("%024x", len(s.orders)), "status": "pending", "updatedAt": time.Now()}
	s.orders = append(s.orders, order)
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(order)
}

func (s *fakeShop) get(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.orders {
		if id := o["_id"].(string); id == r.PathValue("id") {
			if s.asked[id]++; s.asked[id] == 2 {
				o["status"], o["updatedAt"] = "confirmed", time.Now().Add(later)
			}
			_ = json.NewEncoder(w).Encode(o)
			return
		}
	}
	w.WriteHeader(http.StatusNotFound)
}

// list lags: it never shows an order that is pending.
func (s *fakeShop) list(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("limit") == "50" && r.URL.Query().Get("cursor") == "" {
		w.Header().Set("Link", `</orders?limit=50&cursor=second>; rel="next"`)
	}
	_, _ = w.Write([]byte("[]"))
}

func startFakeShop(t *testing.T) (*fakeShop, string) {
	s := &fakeShop{asked: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /products", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{"_id":"0123456789abcdef01234567"}`))
	})
	mux.HandleFunc("POST /orders", s.place)
	mux.HandleFunc("GET /orders/{id}", s.get)
	mux.HandleFunc("GET /orders", s.list)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return s, server.URL
}

func TestRunWaitsForOrdersThatNoListKnowsYet(t *testing.T) {
	s, url := startFakeShop(t)
	result, err := Run(t.Context(), Load{URLs: []string{url}, Clients: 3, Orders: 20, Products: 5, Lines: 2})
	require.NoError(t, err)
	assert.Equal(t, 20, result.Orders)
	assert.Equal(t, 20, result.Confirmed)
	assert.Len(t, result.IDs, 20)
	assert.Greater(t, result.Settled, later, "until the last order was confirmed")
	for _, products := range s.lines {
		require.Len(t, products, 2)
		assert.NotEqual(t, products[0], products[1], "lines of one order are of different products")
	}
}

func TestReadersOfTheListFollowTheLink(t *testing.T) {
	_, url := startFakeShop(t)
	result, err := Read{URL: url, What: "list", Clients: 1, Duration: time.Second, Rate: 10}.Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 10, result.OK)
	assert.Equal(t, 2, result.Deepest, "after the last page it begins again")
}

func TestProductNamesAreAllDifferent(t *testing.T) {
	seen := map[string]bool{}
	const products = 200_000 // more than there are combinations of words
	for i := range products {
		seen[productName(i)] = true
	}
	assert.Len(t, seen, products)
	assert.Len(t, strings.Fields(productName(0)), 4)
}

func TestNextPage(t *testing.T) {
	for link, want := range map[string]string{
		`<http://shop/orders?limit=50&cursor=x>; rel="next"`: "/orders?limit=50&cursor=x",
		`</orders?cursor=x>; rel="next"`:                     "/orders?cursor=x",
		`</orders>; rel="prev"`:                              "",
		``:                                                   "",
	} {
		assert.Equal(t, want, nextPage(link), link)
	}
}
