// Reads an env file with the code of Docker's command line and of Docker Compose, and prints what each
// says as JSON: a map of names to values. For test/real/env-readers.test.ts.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/docker/cli/pkg/kvfile"
)

func main() {
	values, err := read(os.Args[1], os.Args[2])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(values)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(reader string, path string) (map[string]string, error) {
	unset := func(string) (string, bool) { return "", false }
	switch reader {
	case "docker":
		values := map[string]string{}
		lines, err := kvfile.Parse(path, unset)
		for _, line := range lines {
			name, value, _ := strings.Cut(line, "=")
			values[name] = value
		}
		return values, err
	case "compose":
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return dotenv.ParseWithLookup(file, unset)
	}
	return nil, fmt.Errorf("no reader %s", reader)
}
