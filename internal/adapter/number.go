package adapter

import (
	"fmt"
	"strconv"
	"strings"
)

// maxDigits bounds the length of a number, so that an exponent can't make it long.
const maxDigits = 40

// number returns a decimal as a JSON number without an exponent and without zeros at the end: providers pad their numbers with
// more zeros than an instrument has decimals. No digit is lost.
func number(text string) (string, error) {
	wrong := func() (string, error) {
		if len(text) > maxDigits {
			text = text[:maxDigits] + "…"
		}
		return "", fmt.Errorf("%q: want a decimal number", text)
	}
	rest, negative := strings.CutPrefix(text, "-")
	mantissa, exponent, scaled := strings.Cut(strings.ToLower(rest), "e")
	shift := 0
	if scaled {
		var err error
		if shift, err = strconv.Atoi(exponent); err != nil || shift < -maxDigits || shift > maxDigits {
			return wrong()
		}
	}
	whole, fraction, pointed := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if whole == "" || pointed && fraction == "" || len(digits) > maxDigits || strings.Trim(digits, "0123456789") != "" {
		return wrong()
	}
	point := len(whole) + shift // the place of the point in digits
	if point < 1 {
		digits, point = strings.Repeat("0", 1-point)+digits, 1
	}
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	whole, fraction = strings.TrimLeft(digits[:point-1], "0")+digits[point-1:point], strings.TrimRight(digits[point:], "0")
	if fraction != "" {
		whole += "." + fraction
	}
	if negative && strings.Trim(whole, "0.") != "" {
		whole = "-" + whole
	}
	return whole, nil
}

// decimals returns how many decimals a number needs: "0.00100" needs 3.
func decimals(text string) (int, error) {
	n, err := number(text)
	if err != nil {
		return 0, err
	}
	_, fraction, _ := strings.Cut(n, ".")
	return len(fraction), nil
}
