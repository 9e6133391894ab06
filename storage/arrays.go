package storage

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// insertArrays is insert in one statement for thousands of rows: each column travels as one array. The text of the
// statement does not depend on their number, so that its plan is kept, and no bound on parameters is ever near.
func (x *tx) insertArrays(into, onConflict string, cols int, values []any) (inserted int64, err error) {
	err = x.eachArrays(into, onConflict, cols, values, func(q string, args ...any) error {
		n, err := x.exec(q, args...)
		inserted += n
		return err
	})
	return inserted, err
}

// eachArrays hands the statements of insertArrays to do.
func (x *tx) eachArrays(into, onConflict string, cols int, values []any, do func(q string, args ...any) error) error {
	values = lastOfEach(into, onConflict, cols, values)
	const most = 5000 // rows to a statement: bounds what one message holds
	for len(values) > 0 {
		n := min(most, len(values)/cols)
		arrays, types, err := columns(values[:n*cols], cols)
		if err != nil {
			return fmt.Errorf("%.60q: %w", into, err)
		}
		if err := do(into+` SELECT * FROM unnest(`+types+`)`+onConflict, arrays...); err != nil {
			return err
		}
		values = values[n*cols:]
	}
	return nil
}

// columns turns rows into one array a column, and writes their placeholders with types, as in "$1::text[],$2::bigint[]".
func columns(values []any, cols int) (arrays []any, types string, err error) {
	var sb strings.Builder
	for c := range cols {
		var array any
		var of string
		switch v := values[c].(type) {
		case []byte:
			array, of = column(values, c, cols, func(v any) ([]byte, bool) { b, ok := v.([]byte); return b, ok }), "bytea"
		default:
			switch reflect.TypeOf(v).Kind() {
			case reflect.String:
				array, of = column(values, c, cols, asText), "text"
			case reflect.Int, reflect.Int64:
				array, of = column(values, c, cols, asInt), "bigint"
			case reflect.Float64:
				array, of = column(values, c, cols, func(v any) (float64, bool) { f, ok := v.(float64); return f, ok }), "double precision"
			}
		}
		if array == nil || reflect.ValueOf(array).IsNil() {
			return nil, "", fmt.Errorf("column %d holds %T, or not always the same", c+1, values[c])
		}
		arrays = append(arrays, array)
		if c > 0 {
			sb.WriteByte(',')
		}
		sb.WriteString("$" + strconv.Itoa(c+1) + "::" + of + "[]")
	}
	return arrays, sb.String(), nil
}

// column picks the c-th value of each row; nil if one is of another type.
func column[T any](values []any, c, cols int, as func(any) (T, bool)) []T {
	out := make([]T, 0, len(values)/cols)
	for i := c; i < len(values); i += cols {
		v, ok := as(values[i])
		if !ok {
			return nil
		}
		out = append(out, v)
	}
	return out
}

func asText(v any) (string, bool) {
	if s, ok := v.(string); ok {
		return s, true
	}
	r := reflect.ValueOf(v)
	return r.String(), r.Kind() == reflect.String
}

func asInt(v any) (int64, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case int:
		return int64(n), true
	}
	return 0, false
}

var conflictKey = regexp.MustCompile(`ON CONFLICT \(([^)]*)\) DO UPDATE`)

// lastOfEach drops rows whose key comes again later, if rows replace those of the same key: PostgreSQL refuses to touch
// a row twice in one statement, where one by one the last would stay.
func lastOfEach(into, onConflict string, cols int, values []any) []any {
	m := conflictKey.FindStringSubmatch(onConflict)
	_, list, ok := strings.Cut(strings.TrimSuffix(strings.TrimSpace(into), ")"), "(")
	if m == nil || !ok {
		return values
	}
	var key []int
	names := strings.Split(list, ",")
	for _, name := range strings.Split(m[1], ",") {
		for i, n := range names {
			if strings.TrimSpace(n) == strings.TrimSpace(name) {
				key = append(key, i)
			}
		}
	}
	last := make(map[string]int, len(values)/cols)
	for i := 0; i < len(values); i += cols {
		last[keyText(values[i:i+cols], key)] = i
	}
	if len(last)*cols == len(values) {
		return values
	}
	out := make([]any, 0, len(last)*cols)
	for i := 0; i < len(values); i += cols {
		if row := values[i : i+cols]; last[keyText(row, key)] == i {
			out = append(out, row...)
		}
	}
	return out
}

func keyText(row []any, key []int) string {
	var sb strings.Builder
	for _, i := range key {
		fmt.Fprintf(&sb, "%v\x00", row[i])
	}
	return sb.String()
}
