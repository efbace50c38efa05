import Testing

@testable import MartletDataCopy

@Suite("Copies of JSON") struct CopiesOfJSON {
    @Test(arguments: [
        (#" {"b" : 1, "a":[ ], "b": 2 } "#, #"{"a":[],"b":2}"#), ("1.0", "1"), ("10e-1", "1"), ("-0.0", "0"), ("100", "100"),
        ("1e2", "100"),
        ("0.00120", "0.0012"), ("1e60", "1e60"), ("12.5e-60", "125e-61"),
        ("12345678901234567890.1234567890", "12345678901234567890.123456789"),
        (#""é\u00e9\/\n\u0001""#, #""éé/\n\u0001""#), (#""\ud83d\ude00""#, "\"😀\""), (#""\ud83d""#, #""\ud83d""#),
        ("[true,false,null]", "[true,false,null]"),
    ])
    func haveOneText(document: String, canonical: String) throws {
        #expect(try CanonicalJSON.text(of: document) == canonical)
        #expect(try CanonicalJSON.text(of: canonical) == canonical)
    }

    @Test(arguments: ["", "[", "{\"a\"}", "tru", "1e", "\"", "[1,]", "1 2", String(repeating: "[", count: 100_000)])
    func thatAreNoneAreRefused(document: String) {
        #expect(throws: (any Error).self) { try CanonicalJSON.text(of: document) }
    }
}
