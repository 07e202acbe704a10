package httpapi

import (
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/messages"
)

// createProduct claims what must be unique before it creates. The product then makes the claims its own; those of a
// request that was refused are given up, and those of one that nobody knows the end of lapse.
func createProduct(c *call, in *createProductInput) (answer, error) {
	b := &in.Body
	id, err := c.newID()
	if err != nil {
		return answer{}, err
	}
	if c.key != "" {
		if id, err = c.acquireKey(id); err != nil {
			return answer{}, err
		}
	}
	exists, err := c.exists(b.ProductID, id)
	if err != nil {
		return answer{}, err
	}
	if !exists {
		if err := c.claimProduct(id, b); err != nil {
			return answer{}, err
		}
	}
	reply, err := c.write(kindProduct, b.ProductID, &messages.Command{Body: &messages.Command_CreateProduct{CreateProduct: b.message(id)}}, nil)
	if err != nil {
		if isRefused(err, domain.KindConflict) && !exists {
			c.release(id, "sku/"+b.SKU, "product/"+id)
		}
		return answer{}, err
	}
	c.products.put(id, b.ProductID)
	a := documentOf(reply)
	a.header("Location", c.visit.prefix+"/products/"+id)
	return a, nil
}

// exists says whether this very request has been carried out before; then there is nothing left to claim. It refuses a
// productId that another product has: the entity decides, this only keeps a request that it would refuse from claiming.
func (c *call) exists(productID, id string) (bool, error) {
	reply, err := c.ask(kindProduct, productID, readProduct(""))
	if isRefused(err, domain.KindNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if kept, ok := documentID(reply.GetDocument()); ok && kept != id {
		return false, conflict("duplicate_product_id", "there is a product %q already", productID)
	}
	return true, nil
}

// claimProduct claims what must be unique, for the product's _id: two requests for one productId are two owners.
func (c *call) claimProduct(id string, b *createProductBody) error {
	if err := c.acquireSKU(b.SKU, id, b.ProductID); err != nil {
		return err
	}
	_, err := c.acquire("product/"+id, c.provisionally(id, b.ProductID))
	return err
}

func (b *createProductBody) message(id string) *messages.CreateProduct {
	m := &messages.CreateProduct{Id: id, ProductId: b.ProductID, Name: b.Name, Description: b.Description, Category: b.Category,
		Price: b.Price, Currency: b.Currency, StockQuantity: b.StockQuantity, LowStockThreshold: b.LowStockThreshold,
		Sku: b.SKU, Dimensions: b.Dimensions, IsActive: b.IsActive}
	if b.Weight != nil {
		m.Weight = *b.Weight
	}
	return m
}

func updateProduct(c *call, in *updateProductInput) (answer, error) {
	productID, err := c.productOf(in.ID)
	if err != nil {
		return answer{}, err
	}
	b := &in.Body
	if b.ProductID != nil && *b.ProductID != productID {
		return answer{}, conflict("product_id_fixed", "the productId of a product can't be changed")
	}
	if b.SKU != nil {
		if err := c.ownSKU(in.ID, productID, *b.SKU); err != nil {
			return answer{}, err
		}
	}
	reply, err := c.write(kindProduct, productID, &messages.Command{Body: &messages.Command_UpdateProduct{UpdateProduct: b.message(in.ID)}},
		c.versionOf(kindProduct, productID, readProduct(in.ID)))
	if err != nil {
		return answer{}, err
	}
	return documentOf(reply), nil
}

// ownSKU claims a product's next sku, once it is sure that the product exists: nothing would let go of the claim of one
// that does not.
func (c *call) ownSKU(id, productID, sku string) error {
	if _, err := c.ask(kindProduct, productID, readProduct(id)); err != nil {
		return err
	}
	return c.acquireSKU(sku, id, productID)
}

func (b *updateProductBody) message(id string) *messages.UpdateProduct {
	return &messages.UpdateProduct{Id: id, Name: b.Name, Description: b.Description, Category: b.Category, Price: b.Price,
		Currency: b.Currency, StockQuantity: b.StockQuantity, LowStockThreshold: b.LowStockThreshold, Sku: b.SKU,
		Weight: b.Weight, Dimensions: b.Dimensions, IsActive: b.IsActive}
}
