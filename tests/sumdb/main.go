// Reads one question as JSON, checks it with golang.org/x/mod/sumdb, and says "holds" or why it does not.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type question struct {
	Key         string      // the public key of the log
	Checkpoint  string      // a signed note
	Leaf        []byte      // its bytes
	Index       int64       // its place
	Inclusion   []tlog.Hash // from the leaf to the root
	OldSize     int64
	OldRoot     tlog.Hash
	Consistency []tlog.Hash
}

func main() {
	var asked question
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		fmt.Println("the question:", err)
		return
	}
	if err := check(asked); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("holds")
}

func check(asked question) error {
	verifier, err := note.NewVerifier(asked.Key)
	if err != nil {
		return fmt.Errorf("the key: %w", err)
	}
	opened, err := note.Open([]byte(asked.Checkpoint), note.VerifierList(verifier))
	if err != nil {
		return fmt.Errorf("the note: %w", err)
	}
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return fmt.Errorf("the size: %w", err)
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return fmt.Errorf("the root: %w", err)
	}
	if err := tlog.CheckRecord(asked.Inclusion, size, root, asked.Index, tlog.RecordHash(asked.Leaf)); err != nil {
		return fmt.Errorf("inclusion: %w", err)
	}
	if err := tlog.CheckTree(asked.Consistency, size, root, asked.OldSize, asked.OldRoot); err != nil {
		return fmt.Errorf("consistency: %w", err)
	}
	return nil
}
