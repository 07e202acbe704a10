// Package httpapi is the HTTP front end: it turns requests into commands for entities and reads of the read models, and
// their replies into answers. It promises that client input never causes a 5xx, that every error is a problem document,
// that a success of a write is passed on only after the entity said that it is durable, and that a request repeated
// with its Idempotency-Key carries the same command id, and a new order the same _id.
//
// Fiber routes the requests. The types of the requests, with huma's tags, are the one source for the OpenAPI document and
// for what is accepted: at start each is compiled from huma's schema into a shape that every body and parameter is
// checked against (shape.go). Huma's own request path is not used, because it checks numbers as float64, which can't
// tell 9007199254740993 from 9007199254740992, and because its error texts and status codes are package variables.
//
// Nothing here decides: rules live in the entities. Nothing of a request may be kept by reference after its handler has
// returned, except what Go's JSON decoder or an explicit copy has made.
package httpapi
