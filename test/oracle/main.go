// SPDX-License-Identifier: Apache-2.0

// Oracle: reads a log's static files with code that is not this project's
// (golang.org/x/mod) and checks the checkpoint, the inclusion of every leaf and
// the consistency of every earlier checkpoint.
//
//	oracle FOLDER VERIFIER-KEY [EARLIER-CHECKPOINT...]
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func die(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

// name is the path of a tile in the scheme of c2sp.org/tlog-tiles.
func name(level string, n int64, width int) string {
	index := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		index = fmt.Sprintf("x%03d/%s", n%1000, index)
	}
	if width < 256 {
		return fmt.Sprintf("tile/%s/%s.p/%d", level, index, width)
	}
	return fmt.Sprintf("tile/%s/%s", level, index)
}

type reader struct {
	dir   string
	cache map[tlog.Tile][]byte
}

func (r *reader) Height() int                     { return 8 }
func (r *reader) SaveTiles([]tlog.Tile, [][]byte) {}

func (r *reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		data, ok := r.cache[t]
		if !ok {
			var err error
			data, err = os.ReadFile(filepath.Join(r.dir,
				name(strconv.Itoa(t.L), t.N, t.W)))
			if err != nil {
				return nil, err
			}
			r.cache[t] = data
		}
		all = append(all, data)
	}
	return all, nil
}

func checkpoint(path string, v note.Verifier) tlog.Tree {
	data, err := os.ReadFile(path)
	if err != nil {
		die("%v", err)
	}
	n, err := note.Open(data, note.VerifierList(v))
	if err != nil {
		die("%s: %v", path, err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[0] != v.Name() || lines[3] != "" {
		die("%s: not three lines by %s", path, v.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		die("%s: %v", path, err)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		die("%s: root", path)
	}
	t := tlog.Tree{N: size}
	copy(t.Hash[:], root)
	return t
}

func entries(dir string, n int64, width int) [][]byte {
	path := filepath.Join(dir, name("entries", n, width))
	data, err := os.ReadFile(path)
	if err != nil {
		die("%v", err)
	}
	var all [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			die("%s: cut short", path)
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		all = append(all, data[2:end])
		data = data[end:]
	}
	if len(all) != width {
		die("%s: %d entries, not %d", path, len(all), width)
	}
	return all
}

func main() {
	if len(os.Args) < 3 {
		die("usage: oracle FOLDER VERIFIER-KEY [EARLIER-CHECKPOINT...]")
	}
	dir := os.Args[1]
	v, err := note.NewVerifier(os.Args[2])
	if err != nil {
		die("%v", err)
	}
	tree := checkpoint(filepath.Join(dir, "checkpoint"), v)
	hashes := tlog.TileHashReader(tree, &reader{dir, map[tlog.Tile][]byte{}})
	for n := int64(0); n*256 < tree.N; n++ {
		width := 256
		if tree.N-n*256 < 256 {
			width = int(tree.N - n*256)
		}
		for i, e := range entries(dir, n, width) {
			id := n*256 + int64(i)
			p, err := tlog.ProveRecord(tree.N, id, hashes)
			if err != nil {
				die("leaf %d: %v", id, err)
			}
			err = tlog.CheckRecord(p, tree.N, tree.Hash, id, tlog.RecordHash(e))
			if err != nil {
				die("leaf %d: %v", id, err)
			}
		}
	}
	for _, path := range os.Args[3:] {
		old := checkpoint(path, v)
		p, err := tlog.ProveTree(tree.N, old.N, hashes)
		if err != nil {
			die("%s: %v", path, err)
		}
		err = tlog.CheckTree(p, tree.N, tree.Hash, old.N, old.Hash)
		if err != nil {
			die("%s: %v", path, err)
		}
	}
	fmt.Printf("%d leaves, %d earlier checkpoints\n", tree.N, len(os.Args)-3)
}
