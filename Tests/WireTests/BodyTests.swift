import HTTPTypes
import NIOCore
import Testing

@testable import MartletWire

@Suite struct ReadingBodies {
    @Test(arguments: [1, 3, 1_000]) func aChunkedBodyIsJoined(step: Int) throws {
        #expect(try body(chunked: "5;a=b\r\nhello\r\n1 ; c\r\n!\r\n0\r\nTrailer: x\r\n\r\n", step: step) == "hello!")
    }

    @Test func aCountedBodyEndsAtItsLength() throws {
        var bytes = ByteBuffer(string: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET")
        var reader = RequestReader(limits: WireLimits(), isSecure: false)
        guard case .head = try reader.next(&bytes), case .body(let piece) = try reader.next(&bytes), case .end = try reader.next(&bytes)
        else { return #expect(Bool(false)) }
        #expect(String(buffer: piece) == "abc")
        #expect(String(buffer: bytes) == "GET")
    }

    @Test(arguments: [
        ("g\r\n", Refusal.malformedChunk), ("\r\n", .malformedChunk), ("-1\r\n", .malformedChunk), ("0x5\r\n", .malformedChunk),
        (" 5\r\n", .malformedChunk), ("5 x\r\n", .malformedChunk), ("5;\u{1}\r\n", .malformedChunk), ("5\nhello\r\n", .bareLineFeed),
        ("FFFFFFFFFFFFFFFFF\r\n", .malformedChunk), ("FFFFFFFFFFFFFFF\r\n", .bodyTooLarge), ("5\r\nhelloX\r\n", .malformedChunk),
        ("5\r\nhello\n", .malformedChunk), ("5;" + String(repeating: "a", count: 300), .malformedChunk),
        ("0\r\nA : b\r\n\r\n", .malformedField), ("0\r\n folded\r\n\r\n", .malformedField),
        ("0\r\n" + String(repeating: "A: b\r\n", count: 101) + "\r\n", .headTooLarge),
        ("0\r\nA: " + String(repeating: "a", count: 17_000), .headTooLarge),
    ])
    func aMalformedChunkIsRefused(bytes: String, refusal: Refusal) {
        #expect(throws: refusal) { try body(chunked: bytes, step: 1_000) }
        #expect(throws: refusal) { try body(chunked: bytes, step: 1) }
    }

    @Test func chunksTogetherKeepTheLimitOfABody() {
        var limits = WireLimits()
        limits.maxDeclaredBody = 8
        #expect(throws: Refusal.bodyTooLarge) { try body(chunked: "5\r\nhello\r\n4\r\n", step: 1_000, limits: limits) }
    }

    private func body(chunked: String, step: Int, limits: WireLimits = WireLimits()) throws -> String {
        var reader = RequestReader(limits: limits, isSecure: false)
        var (bytes, text) = (ByteBuffer(), "")
        let all = Array(("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked).utf8)
        for start in stride(from: 0, to: all.count, by: step) {
            bytes.writeBytes(all[start..<min(start + step, all.count)])
            loop: while true {
                switch try reader.next(&bytes) {
                case .needsMore: break loop
                case .head: continue
                case .body(let piece): text += String(buffer: piece)
                case .end: return text
                }
            }
        }
        return "incomplete"
    }
}

@Suite struct WritingResponses {
    @Test func aLengthIsKept() {
        #expect(encode([.contentLength: "2"], ["ok"]).hasSuffix("Content-Length: 2\r\n\r\nok"))
    }

    @Test func withoutALengthTheBodyIsChunked() {
        #expect(encode([:], ["ok", "!"]).hasSuffix("Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n"))
    }

    @Test func toHTTP10TheEndOfTheConnectionIsTheEndOfTheBody() {
        #expect(encode([:], ["ok"], .init(isHTTP10: true)).hasSuffix("Connection: close\r\n\r\nok"))
    }

    @Test func theAnswerToHEADHasNoBody() {
        #expect(encode([.contentLength: "2"], ["ok"], .init(isHead: true)).hasSuffix("Content-Length: 2\r\n\r\n"))
    }

    @Test func aBodyLongerThanItsLengthIsCut() {
        #expect(encode([.contentLength: "2"], ["okay"]).hasSuffix("\r\n\r\nok"))
    }

    @Test func aBodyShorterThanItsLengthIsNotWhole() {
        var (encoder, bytes) = (ResponseEncoder(), ByteBuffer())
        _ = encoder.head(HTTPResponse(status: .ok, headerFields: [.contentLength: "2"]), .init(), into: &bytes)
        let isWhole = encoder.end(into: &bytes)
        #expect(!isWhole)
    }

    @Test func theResponderDoesNotFrameTheConnection() {
        let text = encode([.connection: "keep-alive", .transferEncoding: "gzip", .contentLength: "1"], ["a"], .init(closes: true))
        #expect(text.contains("Connection: close\r\n") && !text.contains("keep-alive") && !text.contains("gzip"))
    }

    private func encode(_ fields: HTTPFields, _ pieces: [String], _ context: ResponseEncoder.Context = .init()) -> String {
        var (encoder, bytes) = (ResponseEncoder(), ByteBuffer())
        _ = encoder.head(HTTPResponse(status: .ok, headerFields: fields), context, into: &bytes)
        for piece in pieces { encoder.body(ByteBuffer(string: piece)) { bytes.writeImmutableBuffer($0) } }
        _ = encoder.end(into: &bytes)
        return String(buffer: bytes)
    }

    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (1_709_210_096, "Thu, 29 Feb 2024 12:34:56 GMT"),
    ])
    func aDateIsWrittenAsTheStandardSays(seconds: Int, text: String) {
        #expect(HTTPDate.format(seconds) == text)
    }
}
