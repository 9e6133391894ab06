package cite_test

import (
	"testing"
	"time"

	"linkstead/archive/cite"
)

func TestDates(t *testing.T) {
	for s, want := range map[string]string{
		"2016": "2016", "2016-02": "2016-02", "2016-2-6": "2016-02-06", "2016/02/06": "2016-02-06", "20160206": "2016-02-06", "2016-02-06T12:00:05Z": "2016-02-06T12:00:05Z",
		"2016-02-06T23:30:00-08:00": "2016-02-07T07:30:00Z", "2016-02-06 12:00:05": "2016-02-06", "2016-02-06T12:00:05+0100": "2016-02-06T11:00:05Z",
		"2016-02-06T12:00:05.123Z": "2016-02-06T12:00:05Z", "2016-02-06T12:00Z": "2016-02-06T12:00:00Z", "February 6, 2016": "2016-02-06", "6 February 2016": "2016-02-06",
		"Saturday, 6th Feb 2016": "2016-02-06", "Sat, 06 Feb 2016 12:00:05 GMT": "2016-02-06T12:00:05Z", "Sat, 06 Feb 2016 12:00:05 -0500": "2016-02-06T17:00:05Z",
		"Sat, 06 Feb 2016 12:00:05 XYZ": "2016-02-06", "6.2.2016": "2016-02-06", "Feb 2016": "2016-02", " 2016-02-29 ": "2016-02-29", "2016-02-06T99:00:00Z": "2016-02-06",
		"": "", "02/03/2016": "", "2015-02-29": "", "2016-13": "", "2016-00-01": "", "2016-01-00": "", "0016": "", "yesterday": "", "20161": "", "31.4.2016": "", "99999": "",
	} {
		d, ok := cite.ParseDate(s)
		if !ok && want != "" || ok && d.String() != want {
			t.Errorf("%q: %q, %v, want %q", s, d, ok, want)
		}
	}
	if d, _ := cite.ParseDate("2016-02-06T23:30:00-08:00"); d.ISO() != "2016-02-06" {
		t.Errorf("the day of where it was written: %s", d.ISO())
	}
}

func TestDistance(t *testing.T) {
	at := time.Date(2016, 2, 6, 14, 10, 0, 0, time.UTC)
	for from, want := range map[string]string{
		"": "", "2016-02-06T12:00:00Z": "2 hours after", "2016-02-06T14:09:30Z": "within a minute of", "2016-02-06T15:10:00Z": "60 minutes before", "2016-02-06T14:09:00Z": "1 minute after",
		"2016-02-06": "on the day of", "2016-02-05": "1 day after", "2016-02-03": "3 days after", "2016-02-10": "4 days before", "2016-02": "in the month of", "2016-01": "1 month after",
		"2015-02-06": "12 months after", "2010-02-06": "6 years after", "2016": "in the year of", "2018": "2 years before", "2016-05": "3 months before",
	} {
		d, _ := cite.ParseDate(from)
		if got := cite.Distance(at, d); got != want {
			t.Errorf("from %q: %q, want %q", from, got, want)
		}
	}
}

func TestPWIDAndFragments(t *testing.T) {
	if got, want := cite.PWID("archive.example", "2016-02-06T12:00:05Z", "http://a.test/%7Ex?q=[1]#no"), "urn:pwid:archive.example:2016-02-06T12:00:05Z:part:http://a.test/%257Ex%3Fq=%5B1%5D%23no"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for quote, want := range map[string]string{
		"": "", "“a – b, c & d”": ":~:text=a%20%E2%80%93%20b%2C%20c%20%26%20d", "well-known": ":~:text=well%2Dknown",
		"one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty": ":~:text=one%20two%20three%20four%20five,sixteen%20seventeen%20eighteen%20nineteen%20twenty",
	} {
		if got := cite.TextFragment(quote); got != want {
			t.Errorf("%q: %q, want %q", quote, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	for s, want := range map[string]string{
		"Jane Doe": "Doe, Jane", "Doe, Jane": "Doe, Jane", "By Jane Doe": "Doe, Jane", "Ludwig van Beethoven": "van Beethoven, Ludwig", "van Beethoven, Ludwig": "van Beethoven, Ludwig",
		"Martin Luther King Jr.": "King, Martin Luther, Jr.", "King, Jr., Martin Luther": "King, Martin Luther, Jr.", "Martin Luther King, Jr.": "King, Martin Luther, Jr.",
		"Charles de la Vallée Poussin": "de la Vallée Poussin, Charles", "Associated Press": "Associated Press", "University of California, Berkeley": "University of California, Berkeley",
		"Madonna": "Madonna", "王小明": "王小明", "Jane Doe and John Roe": "Doe, Jane; Roe, John", "Jane Doe, John Roe & Max Mu": "Doe, Jane; Roe, John; Mu, Max",
		"Doe, Jane; Roe, John": "Doe, Jane; Roe, John", "Doe, Jane and Roe, John": "Doe, Jane; Roe, John", "admin": "", "a@b.test": "", "https://facebook.test/x": "", "": "", "12": "", "@jane": "",
	} {
		var got string
		for i, n := range cite.NamesIn(s) {
			if i > 0 {
				got += "; "
			}
			got += n.Sorted()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}
