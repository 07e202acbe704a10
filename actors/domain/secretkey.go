package domain

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// SecretKey makes MACs (HMAC-SHA256) with one secret, which is mixed in once for many of them: ids and signatures that
// nobody can make who does not have it. Safe for concurrent use.
type SecretKey struct{ macs sync.Pool }

// NewSecretKey makes the key of a secret, which it copies.
func NewSecretKey(secret []byte) *SecretKey {
	own := bytes.Clone(secret)
	return &SecretKey{sync.Pool{New: func() any { return hmac.New(sha256.New, own) }}}
}

// Sum is the MAC of the parts, one behind the other.
func (k *SecretKey) Sum(parts ...[]byte) (sum [sha256.Size]byte) {
	mac := k.macs.Get().(hash.Hash)
	mac.Reset()
	for _, part := range parts {
		mac.Write(part)
	}
	mac.Sum(sum[:0])
	k.macs.Put(mac)
	return sum
}
