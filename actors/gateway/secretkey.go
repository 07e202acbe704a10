package gateway

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// secretKey makes MACs with one secret, which is mixed in once for many of them. Safe for concurrent use.
type secretKey struct{ macs sync.Pool }

func newSecretKey(secret []byte) *secretKey {
	own := bytes.Clone(secret)
	return &secretKey{sync.Pool{New: func() any { return hmac.New(sha256.New, own) }}}
}

// sum is the MAC of the parts, one behind the other.
func (k *secretKey) sum(parts ...[]byte) (sum [sha256.Size]byte) {
	mac := k.macs.Get().(hash.Hash)
	mac.Reset()
	for _, part := range parts {
		mac.Write(part)
	}
	mac.Sum(sum[:0])
	k.macs.Put(mac)
	return sum
}
