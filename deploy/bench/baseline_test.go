package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startDatabase starts a PostgreSQL for a test, which is skipped where there is none.
func startDatabase(t *testing.T) *postgres {
	dir, err := os.MkdirTemp("", "bench-test-*")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	database, err := startPostgres(t.Context(), dir)
	if errors.Is(err, errNoPostgres) {
		t.Skip("no PostgreSQL on this machine: deploy/bench/postgres.sh installs one")
	}
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, database.stop()) })
	return database
}

func buildBaseline(t *testing.T) string {
	program := filepath.Join(t.TempDir(), "baseline")
	output, err := exec.Command("go", "build", "-o", program, "./baseline").CombinedOutput()
	require.NoError(t, err, "%s", output)
	return program
}

func post(t *testing.T, url, body string) int {
	response, err := http.Post(url, "application/json", strings.NewReader(body))
	if !assert.NoError(t, err) {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

func orderOf(items string) string {
	return `{"customer":{"customerId":"cust-1","email":"ada@example.com","firstName":"Ada","lastName":"Lovelace"},"items":[` + items +
		`],"shippingAddress":{"street":"1 Long Street","city":"London","state":"London","postalCode":"SW1Y 4JH","country":"GB"},"paymentMethod":"pm_card_visa"}`
}

// TestBaselineIsAllOrNothing: 30 orders of two lines, which cross, want a product of which there are 20 and one of which
// there are 12. Whatever the style, twelve are placed, and nothing is left of the others.
func TestBaselineIsAllOrNothing(t *testing.T) {
	database, program := startDatabase(t), buildBaseline(t)
	for _, style := range styles {
		t.Run(style, func(t *testing.T) {
			s, err := newBaseline(style, program, database).start(t.Context())
			require.NoError(t, err)
			defer func() { assert.NoError(t, s.Stop()) }()
			for id, quantity := range map[string]int{"plenty": 20, "scarce": 12} {
				require.Equal(t, http.StatusCreated, post(t, s.URL()+"/products", fmt.Sprintf(
					`{"productId":%q,"sku":"sku-%s","name":"Mug","description":"Made for measuring","category":"bench","price":1250,"stockQuantity":%d}`, id, id, quantity)))
			}
			var placed, refused atomic.Int64
			var buyers sync.WaitGroup
			for i := range 30 {
				lines := []string{`{"productId":"plenty","quantity":1}`, `{"productId":"scarce","quantity":1}`}
				if i%2 == 1 {
					lines[0], lines[1] = lines[1], lines[0]
				}
				buyers.Go(func() {
					switch status := post(t, s.URL()+"/orders", orderOf(strings.Join(lines, ","))); status {
					case http.StatusCreated:
						placed.Add(1)
					case http.StatusConflict:
						refused.Add(1)
					default:
						t.Errorf("status %d", status)
					}
				})
			}
			buyers.Wait()
			assert.EqualValues(t, 12, placed.Load())
			assert.EqualValues(t, 18, refused.Load())
			assertBooks(t, database)

			assert.Equal(t, http.StatusBadRequest, post(t, s.URL()+"/orders", orderOf(`{"productId":"plenty","quantity":0}`)))
			assert.Equal(t, http.StatusBadRequest, post(t, s.URL()+"/orders", orderOf(`{"productId":"plenty","quantity":1,"discount":1}`)))
			assert.Equal(t, http.StatusConflict, post(t, s.URL()+"/orders", orderOf(`{"productId":"plenty","quantity":1,"unitPrice":1}`)))
			assertBooks(t, database)
			assert.Equal(t, http.StatusCreated, post(t, s.URL()+"/orders", orderOf(`{"productId":"plenty","quantity":3,"unitPrice":1250},{"productId":"plenty","quantity":5}`)))
			assert.Equal(t, http.StatusConflict, post(t, s.URL()+"/orders", orderOf(`{"productId":"plenty","quantity":1}`)), "two lines of one product are one demand")
		})
	}
}

// assertBooks: stock, orders, lines and movements say the same.
func assertBooks(t *testing.T, database *postgres) {
	t.Helper()
	require.NoError(t, database.with(t.Context(), func(conn *pgx.Conn) error {
		for what, want := range map[string]int{
			"SELECT stock FROM products WHERE product_id = 'plenty'":                                        8,
			"SELECT stock FROM products WHERE product_id = 'scarce'":                                        0,
			"SELECT count(*) FROM orders":                                                                   12,
			"SELECT count(*) FROM order_lines":                                                              24,
			"SELECT count(*) FROM stock_movements":                                                          24,
			"SELECT sum(delta) FROM stock_movements":                                                        -24,
			"SELECT count(DISTINCT balance) FROM stock_movements WHERE product_id = 'scarce'":               12,
			"SELECT count(*) FROM orders WHERE total <> 2500 + 250 + 1000 OR status <> 'confirmed'":         0,
			"SELECT count(*) FROM order_lines JOIN orders ON orders.id = order_lines.order_id WHERE line<3": 24,
		} {
			var got int
			if err := conn.QueryRow(t.Context(), what).Scan(&got); err != nil {
				return err
			}
			assert.Equal(t, want, got, what)
		}
		return nil
	}))
}
