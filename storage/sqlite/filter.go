package sqlite

import "github.com/queuecommerce/queuecommerce/storage"

// streamHash is the same in every process, because read.db keeps the hashes of all streams.
func streamHash(stream storage.Stream) uint64 {
	hash := uint64(0xcbf29ce484222325) // FNV-1a, and then the finalizer of MurmurHash3, which spreads the last bytes
	for i := range len(stream) {
		hash = (hash ^ uint64(stream[i])) * 0x100000001b3
	}
	hash ^= hash >> 33
	hash *= 0xff51afd7ed558ccd
	hash ^= hash >> 33
	hash *= 0xc4ceb9fe1a85ec53
	return hash ^ hash>>33
}

// filter remembers hashes. It may take one for known that was never added, one in 150 to one in 50, and never the reverse. It
// grows by generations; each is a split block Bloom filter, which looks at one cache line.
type filter struct {
	generations []*generation // the last one is being filled
	size        int           // how many hashes were added
}

const (
	blockBits     = 256
	bitsPerHash   = 12
	smallestBirth = 1 << 16 // hashes
)

type generation struct {
	blocks [][blockBits / 32]uint32
	room   int // how many more hashes keep its promise
}

// newFilter has room for so many hashes, and for some more.
func newFilter(expected int) *filter {
	f := &filter{}
	f.grow(expected + expected/4)
	return f
}

func (f *filter) grow(hashes int) {
	hashes = max(hashes, smallestBirth)
	f.generations = append(f.generations, &generation{
		blocks: make([][blockBits / 32]uint32, (hashes*bitsPerHash+blockBits-1)/blockBits), room: hashes,
	})
}

func (f *filter) add(hash uint64) {
	last := f.generations[len(f.generations)-1]
	if last.room == 0 {
		f.grow(f.size)
		last = f.generations[len(f.generations)-1]
	}
	last.room--
	f.size++
	block := last.block(hash)
	for i := range block {
		block[i] |= bit(hash, i)
	}
}

// has says false only for a hash that was not added.
func (f *filter) has(hash uint64) bool {
	for _, g := range f.generations {
		if g.has(hash) {
			return true
		}
	}
	return false
}

func (g *generation) has(hash uint64) bool {
	block := g.block(hash)
	for i := range block {
		if block[i]&bit(hash, i) == 0 {
			return false
		}
	}
	return true
}

// block is chosen by the upper half of the hash, the bits in it by the lower.
func (g *generation) block(hash uint64) *[blockBits / 32]uint32 {
	return &g.blocks[(hash>>32)*uint64(len(g.blocks))>>32]
}

// odd numbers that turn one hash into eight; they are those of the Parquet format.
func bit(hash uint64, i int) uint32 {
	odd := [blockBits / 32]uint32{
		0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31,
	}
	return 1 << (uint32(hash) * odd[i] >> 27)
}
