package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

type (
	createProductBody struct {
		ProductID         string   `json:"productId" minLength:"3" maxLength:"100" example:"prod-001"`
		Name              string   `json:"name" minLength:"2" maxLength:"200" example:"Mechanical keyboard"`
		Description       string   `json:"description" minLength:"10" maxLength:"1000" example:"Tenkeyless, hot-swappable switches"`
		Category          string   `json:"category" minLength:"1" maxLength:"100" example:"peripherals"`
		Price             int64    `json:"price" minimum:"0" maximum:"1000000000000" doc:"minor units" example:"8999"`
		Currency          string   `json:"currency,omitempty" pattern:"^[a-z]{3}$" patternDescription:"a lower case ISO 4217 code" example:"usd"`
		StockQuantity     int64    `json:"stockQuantity" minimum:"0" maximum:"1000000000000" example:"100"`
		LowStockThreshold *int64   `json:"lowStockThreshold,omitempty" minimum:"0" maximum:"1000000000000" doc:"10 where it is left out"`
		SKU               string   `json:"sku" minLength:"3" maxLength:"100" example:"KB-TKL-01"`
		Weight            *float64 `json:"weight,omitempty" minimum:"0"`
		Dimensions        string   `json:"dimensions,omitempty" maxLength:"50"`
		IsActive          *bool    `json:"isActive,omitempty" doc:"true where it is left out"`
	}
	updateProductBody struct {
		ProductID         *string  `json:"productId,omitempty" minLength:"3" maxLength:"100" doc:"can't be changed"`
		Name              *string  `json:"name,omitempty" minLength:"2" maxLength:"200"`
		Description       *string  `json:"description,omitempty" minLength:"10" maxLength:"1000"`
		Category          *string  `json:"category,omitempty" minLength:"1" maxLength:"100"`
		Price             *int64   `json:"price,omitempty" minimum:"0" maximum:"1000000000000"`
		Currency          *string  `json:"currency,omitempty" pattern:"^[a-z]{3}$" patternDescription:"a lower case ISO 4217 code"`
		StockQuantity     *int64   `json:"stockQuantity,omitempty" minimum:"0" maximum:"1000000000000"`
		LowStockThreshold *int64   `json:"lowStockThreshold,omitempty" minimum:"0" maximum:"1000000000000"`
		SKU               *string  `json:"sku,omitempty" minLength:"3" maxLength:"100"`
		Weight            *float64 `json:"weight,omitempty" minimum:"0"`
		Dimensions        *string  `json:"dimensions,omitempty" maxLength:"50"`
		IsActive          *bool    `json:"isActive,omitempty"`
	}

	createProductInput struct{ Body createProductBody }
	productInput       struct {
		ID string `path:"id" doc:"the product's _id" example:"652f1c7a9b3d4e5f60718293"`
	}
	productIDInput struct {
		ProductID string `path:"productId" minLength:"3" maxLength:"100" example:"prod-001"`
	}
	updateProductInput struct {
		ID   string `path:"id" doc:"the product's _id"`
		Body updateProductBody
	}
	listProductsInput struct {
		Category string `query:"category" maxLength:"100"`
		IsActive *bool  `query:"isActive"`
		InStock  *bool  `query:"inStock"`
		Limit    *int64 `query:"limit" minimum:"1" maximum:"100" default:"10"`
		Page     *int64 `query:"page" minimum:"1" doc:"from 1"`
		Cursor   string `query:"cursor" doc:"opaque; from the Link of the page before"`
	}
	searchProductsInput struct {
		Q     string `query:"q" required:"true" minLength:"1" maxLength:"200" doc:"words of the name or description; the last one may be a beginning"`
		Limit *int64 `query:"limit" minimum:"1" maximum:"100" default:"10"`
	}
)

// ProductPage is one page of the catalogue.
type ProductPage struct {
	Products   []product.Document `json:"products"`
	Total      int64              `json:"total"`
	Page       int64              `json:"page"`
	TotalPages int64              `json:"totalPages"`
}

// AvailableQuantity is what can still be sold.
type AvailableQuantity struct {
	AvailableQuantity int64 `json:"availableQuantity"`
}

// TransformSchema says that an empty change is refused.
func (updateProductBody) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return notEmpty(s)
}

func (s *Server) productRoutes() {
	const tag, read, write = "products", "products:read", "products:write"
	route(s, operation{id: "createProduct", method: http.MethodPost, path: "/products", tag: tag, scope: write, summary: "Create a product",
		status: http.StatusCreated, answer: product.Document{}, refusals: []int{409}, keyed: true, tagged: true, located: true}, createProduct)
	route(s, operation{id: "listProducts", method: http.MethodGet, path: "/products", tag: tag, scope: read, summary: "List products",
		description: "Newest first; filters combine.", status: http.StatusOK, answer: ProductPage{}, linked: true}, listProducts)
	route(s, operation{id: "searchProducts", method: http.MethodGet, path: "/products/search", tag: tag, scope: read, summary: "Search active products",
		description: "By name and description, best first, case-insensitive.", status: http.StatusOK, answer: product.Document{}, array: true}, searchProducts)
	route(s, operation{id: "getProductByProductId", method: http.MethodGet, path: "/products/by-product-id/{productId}", tag: tag, scope: read,
		summary: "Get a product by its productId", status: http.StatusOK, answer: product.Document{}, refusals: []int{404}, tagged: true}, getProductByProductID)
	route(s, operation{id: "getAvailableQuantity", method: http.MethodGet, path: "/products/{productId}/available-quantity", tag: tag, scope: read,
		summary: "How much can be sold", status: http.StatusOK, answer: AvailableQuantity{}, refusals: []int{404}}, getAvailableQuantity)
	route(s, operation{id: "getProduct", method: http.MethodGet, path: "/products/{id}", tag: tag, scope: read, summary: "Get a product",
		status: http.StatusOK, answer: product.Document{}, refusals: []int{404}, tagged: true}, getProduct)
	route(s, operation{id: "updateProduct", method: http.MethodPatch, path: "/products/{id}", tag: tag, scope: write, summary: "Change a product",
		status: http.StatusOK, answer: product.Document{}, refusals: []int{404, 409, 412}, keyed: true, matched: true, tagged: true}, updateProduct)
	route(s, operation{id: "deleteProduct", method: http.MethodDelete, path: "/products/{id}", tag: tag, scope: write, summary: "Delete a product",
		description: "Refused while reservations are open.", status: http.StatusNoContent, refusals: []int{404, 409, 412}, matched: true}, deleteProduct)
}

func readProduct(id string) *messages.Command {
	return &messages.Command{Body: &messages.Command_GetProduct{GetProduct: &messages.GetProduct{Id: id}}}
}

func listProducts(c *call, in *listProductsInput) (answer, error) {
	filter := storage.Filter{Collection: storage.Products, Category: in.Category, Active: in.IsActive, InStock: in.InStock}
	w, err := c.windowOf(filter.Collection, in.Limit, in.Page, in.Cursor)
	if err != nil {
		return answer{}, err
	}
	documents, more, err := c.list(filter, w)
	if err != nil {
		return answer{}, err
	}
	total, err := c.config.Lists.Count(c.ctx, filter)
	if err != nil {
		return answer{}, away{what: "count products", err: err}
	}
	limit := int64(w.limit)
	head := fmt.Sprintf(`,"total":%d,"page":%d,"totalPages":%d}`, total, w.page, (total+limit-1)/limit)
	a := answer{body: append(append([]byte(`{"products":`), bodies(documents)...), head...)}
	if more {
		c.linkDocuments(&a, filter.Collection, documents, w.page+1)
	}
	return a, nil
}

func searchProducts(c *call, in *searchProductsInput) (answer, error) {
	if strings.TrimSpace(in.Q) == "" {
		return answer{}, invalid("q must hold a word")
	}
	limit := defaultLimit
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	documents, err := c.config.Lists.Search(c.ctx, in.Q, limit)
	if err != nil {
		return answer{}, away{what: "search products", err: err}
	}
	return answer{body: bodies(documents)}, nil
}

func getProduct(c *call, in *productInput) (answer, error) {
	productID, err := c.productOf(in.ID)
	if err != nil {
		return answer{}, err
	}
	if a, ok := c.newest(kindProduct, productID, storage.Products, in.ID); ok {
		return a, nil
	}
	return c.read(kindProduct, productID, readProduct(in.ID))
}

func getProductByProductID(c *call, in *productIDInput) (answer, error) {
	return c.read(kindProduct, in.ProductID, readProduct(""))
}

func getAvailableQuantity(c *call, in *productIDInput) (answer, error) {
	reply, err := c.ask(kindProduct, in.ProductID, readProduct(""))
	if err != nil {
		return answer{}, err
	}
	var available AvailableQuantity
	if err := json.Unmarshal(reply.GetDocument(), &available); err != nil {
		return answer{}, fmt.Errorf("read the document of product/%s: %w", in.ProductID, err)
	}
	return answer{body: fmt.Appendf(nil, `{"availableQuantity":%d}`, available.AvailableQuantity)}, nil
}

func deleteProduct(c *call, in *productInput) (answer, error) {
	productID, err := c.productOf(in.ID)
	if err != nil {
		return answer{}, err
	}
	_, err = c.write(kindProduct, productID, &messages.Command{Body: &messages.Command_DeleteProduct{
		DeleteProduct: &messages.DeleteProduct{Id: in.ID}}}, c.versionOf(kindProduct, productID, readProduct(in.ID)))
	return answer{}, err
}
