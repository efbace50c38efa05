import HTTPTypes
import NIOCore
import Testing

@testable import MartletWire

@Suite struct ReadingHeads {
    @Test func aPlainRequestIsUnderstood() throws {
        let head = try read("GET /a?b=c HTTP/1.1\r\nHost: example.com:8080\r\nAccept:  text/html \r\n\r\n")
        #expect(head.request.method == .get)
        #expect(head.request.path == "/a?b=c")
        #expect(head.request.authority == "example.com:8080")
        #expect(head.request.headerFields == [.accept: "text/html"])
        #expect(head.body == .none && head.keepsOpen && !head.isHTTP10 && !head.expectsContinue)
    }

    @Test(arguments: Fault.all) func aFaultIsRefusedWhole(fault: Fault) {
        #expect(refusal(fault.bytes) == fault.refusal)
    }

    @Test(arguments: Fault.all) func aFaultIsRefusedByteByByte(fault: Fault) {
        #expect(refusalByteByByte(fault.bytes) == fault.refusal)
    }

    @Test(arguments: [
        ("Content-Length: 5", BodyFraming.length(5)), ("Content-Length: 0", .none), ("Transfer-Encoding: chunked", .chunked),
        ("Transfer-Encoding: \tChunked ", .chunked), ("Accept: a", .none),
    ])
    func theBodyIsFramedByItsField(field: String, framing: BodyFraming) throws {
        #expect(try read("POST / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n").body == framing)
    }

    @Test(arguments: [
        ("HTTP/1.1", "Accept: a", true), ("HTTP/1.1", "Connection: Close", false), ("HTTP/1.1", "Connection: x, CLOSE , y", false),
        ("HTTP/1.0", "Accept: a", false), ("HTTP/1.0", "Connection: Keep-Alive", true),
        ("HTTP/1.0", "Connection: keep-alive, close", false),
    ])
    func theConnectionStaysOpenAsAsked(version: String, field: String, keepsOpen: Bool) throws {
        let head = try read("GET / \(version)\r\nHost: a\r\n\(field)\r\n\r\n")
        #expect(head.keepsOpen == keepsOpen)
        #expect(head.request.headerFields[.connection] == (keepsOpen ? nil : "close"))
    }

    @Test(arguments: [
        ("GET http://b.example:81/x?y HTTP/1.1", "b.example:81", "/x?y"), ("GET HTTPS://b HTTP/1.1", "b", "/"),
        ("GET http://b?y HTTP/1.1", "b", "/?y"), ("OPTIONS * HTTP/1.1", "a", "*"), ("OPTIONS http://b HTTP/1.1", "b", "*"),
        ("GET /%zz|\"<> HTTP/1.1", "a", "/%zz|\"<>"),
    ])
    func aTargetIsResolved(line: String, authority: String, path: String) throws {
        let head = try read("\(line)\r\nHost: a\r\n\r\n")
        #expect(head.request.authority == authority)
        #expect(head.request.path == path)
    }

    @Test func anHTTP10RequestMayOmitTheHost() throws {
        #expect(try read("GET / HTTP/1.0\r\n\r\n").request.authority == nil)
    }

    @Test func oneEmptyLineBeforeARequestIsForgiven() throws {
        #expect(try read("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").request.path == "/")
    }

    @Test func anExpectationWithoutABodyIsIdle() throws {
        #expect(try !read("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n").expectsContinue)
        #expect(try read("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n").expectsContinue)
    }
}

/// Bytes no request may begin with, and the refusal they earn.
struct Fault: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let bytes: [UInt8]
    let refusal: Refusal

    init(_ name: String, _ text: String, _ refusal: Refusal) {
        (testDescription, bytes, self.refusal) = (name, Array(text.utf8), refusal)
    }

    static let all = lines + hosts + fields + framing + sizes

    private static func field(_ name: String, _ field: String, _ refusal: Refusal) -> Fault {
        Fault(name, "POST / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n", refusal)
    }

    private static func line(_ name: String, _ line: String, _ refusal: Refusal) -> Fault {
        Fault(name, "\(line)\r\nHost: a\r\n\r\n", refusal)
    }

    private static let lines = [
        line("no version", "GET /", .malformedRequestLine), line("two spaces", "GET  / HTTP/1.1", .malformedTarget),
        line("a space in the target", "GET /a b HTTP/1.1", .malformedTarget),
        line("a lower-case protocol", "GET / http/1.1", .malformedRequestLine),
        line("HTTP/2.0", "GET / HTTP/2.0", .unsupportedVersion), line("HTTP/1.2", "GET / HTTP/1.2", .unsupportedVersion),
        line("an HTTP/2 preface", "PRI * HTTP/2.0", .unsupportedVersion), line("an unknown method", "BREW / HTTP/1.1", .unknownMethod),
        line("a lower-case method", "get / HTTP/1.1", .unknownMethod),
        line("an overlong method", String(repeating: "A", count: 60) + " / HTTP/1.1", .unknownMethod),
        line("CONNECT", "CONNECT a:443 HTTP/1.1", .connectRefused), line("a fragment", "GET /#a HTTP/1.1", .malformedTarget),
        line("a star for GET", "GET * HTTP/1.1", .malformedTarget), line("a relative target", "GET a HTTP/1.1", .malformedTarget),
        line("a raw non-ASCII byte", "GET /é HTTP/1.1", .malformedTarget), line("a control byte", "GET /\u{1} HTTP/1.1", .malformedTarget),
        line("another scheme", "GET ftp://a/ HTTP/1.1", .malformedTarget),
        line("user information", "GET http://u@a/ HTTP/1.1", .malformedTarget),
        line("a leading space", " GET / HTTP/1.1", .malformedRequestLine),
        line("a TLS greeting", "\u{16}\u{3}\u{1}", .malformedRequestLine),
        Fault("a bare line feed", "GET / HTTP/1.1\nHost: a\n\n", .bareLineFeed),
        Fault("two empty lines", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
    ]

    private static let hosts =
        ["", "a b", "a/b", "u@a", "a:b", "a:65536", "a:123456", ":80", "[::1", "[::g]", "[]", "a, b", "a%2", "é", "a:80:80"].map {
            Fault("the host “\($0)”", "GET / HTTP/1.1\r\nHost: \($0)\r\n\r\n", .malformedHost)
        } + [
            Fault("no host", "GET / HTTP/1.1\r\n\r\n", .missingHost),
            Fault("no host beside an absolute target", "GET http://a/ HTTP/1.1\r\n\r\n", .missingHost),
            field("a second host", "Host: a", .duplicateHost),
        ]

    private static let fields = [
        field("a folded line", "A: b\r\n c", .malformedField), field("a space before the colon", "A : b", .malformedField),
        field("a bare carriage return", "A: b\rc", .malformedField), field("a NUL", "A: b\0c", .malformedField),
        field("an empty name", ": b", .malformedField), field("no colon", "A", .malformedField), field("DEL", "A: \u{7F}", .malformedField),
        field("a name beyond ASCII", "Ä: b", .malformedField), field("a lone line feed in a value", "A: b\nC: d", .bareLineFeed),
        field("an unknown expectation", "Expect: more", .unknownExpectation),
    ]

    private static let framing = [
        field("both framings", "Content-Length: 5\r\nTransfer-Encoding: chunked", .ambiguousLength),
        field("both framings, turned", "Transfer-Encoding: chunked\r\nContent-Length: 5", .ambiguousLength),
        field("equal lengths twice", "Content-Length: 5\r\nContent-Length: 5", .ambiguousLength),
        field("different lengths", "Content-Length: 5\r\nContent-Length: 6", .ambiguousLength),
        field("a list of lengths", "Content-Length: 5, 5", .malformedLength),
        field("a signed length", "Content-Length: +5", .malformedLength),
        field("a negative length", "Content-Length: -5", .malformedLength),
        field("a hexadecimal length", "Content-Length: 0x5", .malformedLength),
        field("an empty length", "Content-Length:", .malformedLength),
        field("an overflowing length", "Content-Length: 99999999999999999999", .malformedLength),
        field("a huge length", "Content-Length: 999999999999", .bodyTooLarge),
        field("identity", "Transfer-Encoding: identity", .malformedEncoding),
        field("chunked twice", "Transfer-Encoding: chunked, chunked", .malformedEncoding),
        field("chunked in two fields", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .malformedEncoding),
        field("chunked not last", "Transfer-Encoding: chunked, gzip", .malformedEncoding),
        field("gzip, chunked", "Transfer-Encoding: gzip, chunked", .unsupportedEncoding),
        field("an almost chunked", "Transfer-Encoding: xchunked", .malformedEncoding),
        field("an empty encoding", "Transfer-Encoding:", .malformedEncoding),
        field("a vertical tab", "Transfer-Encoding: \u{B}chunked", .malformedField),
        Fault("an encoding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .ambiguousLength),
    ]

    private static let sizes = [
        line("a long target", "GET /" + String(repeating: "a", count: 9_000) + " HTTP/1.1", .targetTooLong),
        Fault("a target without an end", "GET /" + String(repeating: "a", count: 9_000), .targetTooLong),
        field("a large field", "A: " + String(repeating: "a", count: 17_000), .headTooLarge),
        Fault("a field without an end", "GET / HTTP/1.1\r\nA: " + String(repeating: "a", count: 17_000), .headTooLarge),
        field("many fields", (0..<101).map { "A\($0): b" }.joined(separator: "\r\n"), .headTooLarge),
    ]
}

private struct Incomplete: Error {}

private func read(_ text: String) throws -> RequestHead {
    var bytes = ByteBuffer(string: text)
    var reader = RequestReader(limits: WireLimits(), isSecure: false)
    guard case .head(let head) = try reader.next(&bytes) else { throw Incomplete() }
    return head
}

private func refusal(_ text: [UInt8]) -> Refusal? {
    var bytes = ByteBuffer(bytes: text)
    var reader = RequestReader(limits: WireLimits(), isSecure: false)
    do {
        _ = try reader.next(&bytes)
        return nil
    } catch {
        return error
    }
}

private func refusalByteByByte(_ text: [UInt8]) -> Refusal? {
    var bytes = ByteBuffer()
    var reader = RequestReader(limits: WireLimits(), isSecure: false)
    for byte in text {
        bytes.writeInteger(byte)
        do { _ = try reader.next(&bytes) } catch { return error }
    }
    return nil
}
