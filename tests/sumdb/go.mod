// The verifier of other hands that tests of the ledger ask: Go's own packages of its checksum database.
module milepost.test/sumdb

go 1.22

require golang.org/x/mod v0.20.0
