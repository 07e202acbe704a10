package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// Read says what to read, and how.
type Read struct {
	URL      string
	What     string   // orders, products: by id; list: pages of 50 orders, newest first, each reader deeper and deeper; search; or a path
	IDs      []string // of the orders or products; empty: those on the first pages of their list
	Products int      // in the catalogue, for search
	Clients  int
	Duration time.Duration
	Rate     int // per second of all readers together; 0: each reads again as soon as it is answered
}

// ReadResult is what the readers saw.
type ReadResult struct {
	Read      Read
	OK        int // answered with 200
	Failed    int // anything else
	Took      time.Duration
	Latency   Latency
	Bytes     int64 // of the bodies
	Deepest   int   // page that a reader of the list came to
	firstFail string
}

// PerSecond is the rate of answers.
func (r ReadResult) PerSecond() float64 { return perSecond(r.OK, r.Took) }

func (r ReadResult) String() string {
	return fmt.Sprintf("read %s, %d clients: %.0f/s (%d failed%s); p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms", r.Read.What, r.Read.Clients,
		r.PerSecond(), r.Failed, r.firstFail, ms(r.Latency.P50), ms(r.Latency.P99), ms(r.Latency.P999))
}

// MarshalJSON gives the figures: times in seconds, latencies in milliseconds.
func (r ReadResult) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"read": r.Read.What, "clients": r.Read.Clients, "rate": r.Read.Rate, "answered": r.OK, "failed": r.Failed, "took": r.Took.Seconds(),
		"perSecond": r.PerSecond(), "latency": r.Latency, "bytes": r.Bytes, "deepestPage": r.Deepest,
	})
}

// Run reads until the time is up.
func (r Read) Run(ctx context.Context) (ReadResult, error) {
	client := newClient([]string{r.URL})
	next, err := r.paths(client)
	if err != nil {
		return ReadResult{}, err
	}
	var readers []*reader
	start := time.Now()
	pace{clients: r.Clients, duration: r.Duration, rate: r.Rate}.run(ctx, start, func(number int) visit {
		v := &reader{client: client, url: r.URL, start: start, next: next(rand.New(rand.NewPCG(3, uint64(number))))}
		readers = append(readers, v)
		return v.read
	})
	result := ReadResult{Read: r, Took: time.Since(start)}
	var answers []Answer
	for _, v := range readers {
		answers = append(answers, v.answers...)
		result.Bytes += v.bytes
		result.Deepest = max(result.Deepest, v.deepest)
		if v.failed != "" {
			result.firstFail = ", such as " + v.failed
		}
	}
	for _, a := range answers {
		if a.Accepted {
			result.OK++
		}
	}
	result.Failed, result.Latency = len(answers)-result.OK, latencyOf(answers)
	return result, ctx.Err()
}

// itinerary says where a reader goes next, given the link to the next page that the last answer had.
type itinerary func(link string) (path string)

func (r Read) paths(client *fasthttp.Client) (func(*rand.Rand) itinerary, error) {
	switch r.What {
	case "orders", "products":
		ids := r.IDs
		if len(ids) == 0 {
			var err error
			if ids, err = listed(client, r.URL, r.What); err != nil {
				return nil, err
			}
		}
		return func(random *rand.Rand) itinerary {
			return func(string) string { return "/" + r.What + "/" + ids[random.IntN(len(ids))] }
		}, nil
	case "list":
		const first = "/orders?limit=50"
		return func(*rand.Rand) itinerary {
			return func(link string) string {
				if link == "" {
					return first
				}
				return link
			}
		}, nil
	case "search":
		return func(random *rand.Rand) itinerary {
			return func(string) string { return "/products/search?q=" + r.query(random) }
		}, nil
	}
	if !strings.HasPrefix(r.What, "/") {
		return nil, fmt.Errorf("nothing called %q can be read: orders, products, list, search or a path", r.What)
	}
	return func(*rand.Rand) itinerary { return func(string) string { return r.What } }, nil
}

// query is what a person would type who looks for one of the products: in turn its thing, its look and its thing, or the
// beginning of a word.
func (r Read) query(random *rand.Rand) string {
	words := strings.Fields(productName(random.IntN(max(1, r.Products))))
	switch random.IntN(3) {
	case 0:
		return words[2]
	case 1:
		return url.QueryEscape(words[0] + " " + words[2])
	}
	return words[1][:3]
}

// listed returns the ids on the first pages of a list.
func listed(client *fasthttp.Client, base, what string) (ids []string, err error) {
	for path := "/" + what + "?limit=100"; path != "" && len(ids) < 10_000; {
		status, body, link, err := get(client, base+path, "Link")
		if err != nil || status != http.StatusOK {
			return nil, fmt.Errorf("list %s: status %d: %s: %w", what, status, body, err)
		}
		for _, document := range strings.SplitAfter(string(body), `"_id":`)[1:] {
			ids = append(ids, idOf([]byte(`"_id":`+document)))
		}
		path = nextPage(link)
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("there are no %s to read", what)
	}
	return slices.Clip(ids), nil
}

// nextPage is the target of a Link header with rel="next"; empty if there is none.
func nextPage(link string) string {
	target, relation, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">")
	if !strings.Contains(relation, `rel="next"`) {
		return ""
	}
	if u, err := url.Parse(target); err == nil {
		return u.RequestURI()
	}
	return ""
}

// reader makes one request after another.
type reader struct {
	client   *fasthttp.Client
	url      string
	start    time.Time
	next     itinerary
	link     string
	page     int
	request  fasthttp.Request
	response fasthttp.Response
	answers  []Answer
	bytes    int64
	deepest  int
	failed   string
}

func (v *reader) read(due time.Time) {
	v.request.SetRequestURI(v.url + v.next(v.link))
	err := v.client.Do(&v.request, &v.response)
	ok := err == nil && v.response.StatusCode() == http.StatusOK
	v.answers = append(v.answers, Answer{At: time.Since(v.start), Took: time.Since(due), Accepted: ok})
	if !ok {
		v.failed, v.link, v.page = fmt.Sprintf("status %d: %.200s %v", v.response.StatusCode(), v.response.Body(), err), "", 0
		return
	}
	v.bytes += int64(len(v.response.Body()))
	v.page++
	v.deepest = max(v.deepest, v.page)
	if v.link = nextPage(string(v.response.Header.Peek("Link"))); v.link == "" {
		v.page = 0
	}
}
