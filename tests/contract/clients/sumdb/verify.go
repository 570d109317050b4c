// Checks a log by code that nobody here wrote: golang.org/x/mod/sumdb.
//
//	verify DIR KEY          the checkpoint, tiles, entries and proofs in a directory
//	verify sign NAME TEXT   makes a key and signs a text with it: prints both keys and the note
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type directory string

func (d directory) Height() int                     { return 8 }
func (d directory) SaveTiles([]tlog.Tile, [][]byte) {}
func (d directory) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		path := strings.TrimPrefix(tile.Path(), "tile/8/")
		read, err := os.ReadFile(filepath.Join(string(d), "tile", path))
		if err != nil {
			return nil, err
		}
		data = append(data, read)
	}
	return data, nil
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// head opens a checkpoint and returns the tree of which it is the head.
func head(data []byte, key string) tlog.Tree {
	verifier, err := note.NewVerifier(key)
	must(err)
	opened, err := note.Open(data, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		log.Fatal("the origin is not the name of the key")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(lines[2])
	must(err)
	return tlog.Tree{N: size, Hash: root}
}

// entries reads the entry bundles of a tree.
func (d directory) entries(size int64) (entries [][]byte) {
	for n := int64(0); n*256 < size; n++ {
		tile := tlog.Tile{H: 8, L: 0, N: n, W: int(min(256, size-n*256))}
		path := strings.TrimPrefix(tile.Path(), "tile/8/0/")
		data, err := os.ReadFile(filepath.Join(string(d), "tile", "entries", path))
		must(err)
		for len(data) > 0 {
			end := 2 + int(binary.BigEndian.Uint16(data))
			entries = append(entries, data[2:end])
			data = data[end:]
		}
	}
	return entries
}

// hashes parses the lines of a proof.
func hashes(lines []string) (proof []tlog.Hash) {
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		must(err)
		proof = append(proof, hash)
	}
	return proof
}

// proof takes apart what comes before and after the empty line of a proof.
func proof(path string) (lines []string, checkpoint []byte) {
	data, err := os.ReadFile(path)
	must(err)
	above, below, _ := bytes.Cut(data, []byte("\n\n"))
	return strings.Split(string(above), "\n"), below
}

func verify(d directory, key string) {
	data, err := os.ReadFile(filepath.Join(string(d), "checkpoint"))
	must(err)
	tree := head(data, key)
	reader := tlog.TileHashReader(tree, d)
	entries := d.entries(tree.N)
	if int64(len(entries)) != tree.N {
		log.Fatalf("%d entries of %d", len(entries), tree.N)
	}
	for i, entry := range entries {
		found, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(i))})
		must(err)
		if found[0] != tlog.RecordHash(entry) {
			log.Fatalf("entry %d is another", i)
		}
	}
	inclusions, err := filepath.Glob(filepath.Join(string(d), "*.tlog-proof"))
	must(err)
	for _, path := range inclusions {
		lines, checkpoint := proof(path)
		tree := head(checkpoint, key)
		index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
		must(err)
		must(tlog.CheckRecord(hashes(lines[2:]), tree.N, tree.Hash, index,
			tlog.RecordHash(entries[index])))
	}
	consistencies, err := filepath.Glob(filepath.Join(string(d), "*.add-checkpoint"))
	must(err)
	for _, path := range consistencies {
		lines, checkpoint := proof(path)
		tree := head(checkpoint, key)
		old, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "old "), 10, 64)
		must(err)
		before, err := tlog.TreeHash(old, reader)
		must(err)
		must(tlog.CheckTree(hashes(lines[1:]), tree.N, tree.Hash, old, before))
	}
	fmt.Printf("%d entries, %d inclusion proofs, %d consistency proofs\n", tree.N,
		len(inclusions), len(consistencies))
}

func main() {
	if os.Args[1] != "sign" {
		verify(directory(os.Args[1]), os.Args[2])
		return
	}
	secret, key, err := note.GenerateKey(rand.Reader, os.Args[2])
	must(err)
	signer, err := note.NewSigner(secret)
	must(err)
	signed, err := note.Sign(&note.Note{Text: os.Args[3]}, signer)
	must(err)
	fmt.Printf("%s\n%s\n%s", secret, key, signed)
}
