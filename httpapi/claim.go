package httpapi

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

// provisional is how long a claim lasts that the entity does not make its own: longer than an outage that could keep the
// entity from it.
const provisional = time.Hour

// acquire claims a value. It carries no command id: an answer that was remembered could outlive the claim.
func (c *call) acquire(identity string, claim *messages.AcquireClaim) (*messages.Claim, error) {
	reply, err := c.ask(kindClaim, identity, &messages.Command{Body: &messages.Command_AcquireClaim{AcquireClaim: claim}})
	if err != nil {
		return nil, err
	}
	return reply.GetClaim(), nil
}

// acquireKey claims the client's Idempotency-Key for what this request says, and returns the value that was kept with
// it the first time.
func (c *call) acquireKey(value string) (string, error) {
	fingerprint, err := c.fingerprint()
	if err != nil {
		return "", err
	}
	kept, err := c.acquire(c.keyClaim(), &messages.AcquireClaim{Owner: fingerprint, Value: value})
	if isRefused(err, domain.KindConflict) {
		return "", conflict("idempotency_key_reused", "this Idempotency-Key was used for another request")
	}
	if err != nil {
		return "", err
	}
	if kept.GetValue() != "" {
		value = kept.GetValue()
	}
	return value, nil
}

// acquireSKU claims a stock-keeping unit for a product until the product makes it its own.
func (c *call) acquireSKU(sku, id, productID string) error {
	_, err := c.acquire("sku/"+sku, c.provisionally(id, productID))
	if isRefused(err, domain.KindConflict) {
		return conflict("duplicate_sku", "another product has the sku %q", sku)
	}
	return err
}

// release gives up claims of a request that was refused. If that fails they lapse by themselves.
func (c *call) release(owner string, claims ...string) {
	for _, claim := range claims {
		command := &messages.Command{Body: &messages.Command_ReleaseClaim{ReleaseClaim: &messages.ReleaseClaim{Owner: owner}}}
		if _, err := c.ask(kindClaim, claim, command); err != nil {
			c.config.Logger.Debug("claim not released", "err", err)
		}
	}
}

// provisionally is a claim for a while. Members of an earlier version would take one that only has a ttl for one for good.
func (c *call) provisionally(owner, value string) *messages.AcquireClaim {
	return &messages.AcquireClaim{Owner: owner, Value: value, Ttl: provisional.Milliseconds(), Until: c.config.Clock().Add(provisional).UnixMilli()}
}

// productOf returns the productId behind a product's _id.
func (c *call) productOf(id string) (string, error) {
	if !domain.IsID(id) {
		return "", productNotFound()
	}
	if productID, ok := c.products.get(id); ok {
		return productID, nil
	}
	if productID, ok := c.productListed(id); ok {
		c.products.put(id, productID)
		return productID, nil
	}
	reply, err := c.ask(kindClaim, "product/"+id, &messages.Command{Body: &messages.Command_GetClaim{GetClaim: &messages.GetClaim{}}})
	if isRefused(err, domain.KindNotFound) {
		return "", productNotFound()
	}
	if err != nil {
		return "", err
	}
	productID := reply.GetClaim().GetValue()
	if reply.GetClaim().GetOwner() == "" || productID == "" {
		return "", productNotFound()
	}
	c.products.put(id, productID)
	return productID, nil
}

// productListed finds a product's productId in its read model, which is cheaper than waking its claim. The read model may be
// behind in all else, but not in this.
func (c *call) productListed(id string) (string, bool) {
	d, err := c.config.Lists.Get(c.ctx, storage.Products, id)
	if err != nil {
		return "", false
	}
	var product struct {
		ProductID string `json:"productId"`
	}
	err = json.Unmarshal(d.Body, &product)
	return product.ProductID, err == nil && product.ProductID != ""
}

func productNotFound() *Problem { return notFound("product_not_found", "there is no such product") }

// identities remembers which productId an _id stands for. An _id never comes to mean another product, so nothing here
// can become false; that a product is gone its entity says. Two generations bound it: when the young one is full it
// becomes the old one, and what nobody asks for falls out.
type identities struct {
	mu         sync.Mutex // guards both maps
	young, old map[string]string
}

const identitiesPerGeneration = 8192

func newIdentities() *identities { return &identities{young: make(map[string]string)} }

func (i *identities) get(id string) (string, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if productID, ok := i.young[id]; ok {
		return productID, true
	}
	productID, ok := i.old[id]
	if ok {
		i.add(id, productID)
	}
	return productID, ok
}

func (i *identities) put(id, productID string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.add(id, productID)
}

func (i *identities) add(id, productID string) {
	if len(i.young) >= identitiesPerGeneration {
		i.young, i.old = make(map[string]string, identitiesPerGeneration), i.young
	}
	i.young[id] = productID
}
