import MartletBookmarksAPI
import MartletContract
import MartletCore
import Testing

/// What comes in as a bookmark is read or refused, whatever its bytes; the same mutations in every run.
@Suite struct MutatedDocuments {
    private static let documents = [
        #"{"url":"https://swift.org/a?b=c#d","title":"Ünï \ud83d\ude00","notes":"x\n\"y\"","category":"C","tags":["one","two"]}"#,
        #"{"url":"http://[::1]:80/","tags":[]}"#, #"{"url":"https://a.example","title":null,"n":-1.5e+10,"o":{"a":[true,false,null]}}"#,
    ].map { Array($0.utf8) }
    private static let pieces = [
        "\"", "\\", "\\u", "\\ud800", "{", "}", "[", "]", ",", ":", "null", "1e999", "-", "0", "\u{0}", "é", "😀", "\u{301}", "@", "[[[[",
        "//", "%",
    ].map { Array($0.utf8) }

    @Test func neverTrap() {
        var random = Random(state: 20_260_115)
        var (read, refused) = (0, 0)
        for _ in 0..<20_000 {
            if Self.isRead(mutation(&random)) { read += 1 } else { refused += 1 }
        }
        #expect(read + refused == 20_000)
        #expect(read > 100 && refused > 1_000)
    }

    /// What the schema lets through must decode: a request that is valid cannot fail later.
    private static func isRead(_ bytes: [UInt8]) -> Bool {
        guard let json = try? WireJSON.parse(bytes) else { return false }
        guard Schema.of(NewBookmark.self).faults(in: json).isEmpty else { return false }
        #expect(throws: Never.self, "\(String(decoding: bytes, as: UTF8.self))") { try WireJSON.decode(NewBookmark.self, from: json) }
        return true
    }

    private func mutation(_ random: inout Random) -> [UInt8] {
        var bytes = Self.documents[Int.random(in: 0..<3, using: &random)]
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1 where place < bytes.count: bytes.remove(at: place)
            case 2: bytes.insert(contentsOf: Self.pieces[Int.random(in: 0..<Self.pieces.count, using: &random)], at: place)
            case 3 where Bool.random(using: &random): bytes.removeSubrange(place...)
            case 4: bytes.insert(contentsOf: bytes[place...].prefix(12), at: place)
            default: bytes.insert(UInt8.random(in: 0x20...0x7E, using: &random), at: place)
            }
        }
        return bytes
    }

    private struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state ^ (state >> 31)) &* 0x9E37_79B9_7F4A_7C15
        }
    }
}
