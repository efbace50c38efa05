import HTTPTypes

/// `method SP request-target SP HTTP-version` (RFC 9112 §3), without its line end.
struct RequestLine {
    let method: HTTPRequest.Method
    /// Path and query, or `*`.
    let path: String
    /// The authority of a target in absolute form; it wins over `Host` (§3.2.2).
    let authority: String?
    let isHTTP10: Bool

    init(_ line: UnsafeRawBufferPointer, maxTargetBytes: Int) throws(Refusal) {
        let (methodBytes, target, version) = try Self.split(line)
        isHTTP10 = try Self.isHTTP10(version)
        method = try Self.method(methodBytes)
        guard target.count <= maxTargetBytes else { throw .targetTooLong }
        guard !target.isEmpty, ByteClass.target.containsAll(target) else { throw .malformedTarget }
        (authority, path) = try Self.resolve(target, method: method)
    }

    /// The only length a version has is eight bytes, so what is between the first space and the last nine bytes is the target.
    private static func split(
        _ line: UnsafeRawBufferPointer
    ) throws(Refusal) -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer, UnsafeRawBufferPointer) {
        guard let space = line.firstIndex(of: Byte.space), space > 0, line.count - 9 > space, line[line.count - 9] == Byte.space,
            ByteClass.token.containsAll(line.part(0..<space))
        else { throw .malformedRequestLine }
        return (line.part(0..<space), line.part(space + 1..<line.count - 9), line.part(line.count - 8..<line.count))
    }

    private static func isHTTP10(_ bytes: UnsafeRawBufferPointer) throws(Refusal) -> Bool {
        let isVersion =
            bytes.part(0..<5).elementsEqual("HTTP/".utf8)
            && ByteClass.digit.contains(bytes[5]) && bytes[6] == 0x2E && ByteClass.digit.contains(bytes[7])
        guard isVersion else { throw .malformedRequestLine }
        switch (bytes[5], bytes[7]) {
        case (0x31, 0x31): return false
        case (0x31, 0x30): return true
        default: throw .unsupportedVersion
        }
    }

    /// Names are case-sensitive. An unknown one is a client's mistake here, not a promise of a later release: 400, not 501.
    private static func method(_ bytes: UnsafeRawBufferPointer) throws(Refusal) -> HTTPRequest.Method {
        guard bytes.count <= 7 else { throw .unknownMethod }
        switch String(decoding: bytes, as: UTF8.self) {
        case "GET": return .get
        case "POST": return .post
        case "HEAD": return .head
        case "PUT": return .put
        case "PATCH": return .patch
        case "DELETE": return .delete
        case "OPTIONS": return .options
        case "TRACE": return .trace
        case "CONNECT": throw .connectRefused
        default: throw .unknownMethod
        }
    }

    private static func resolve(
        _ target: UnsafeRawBufferPointer, method: HTTPRequest.Method
    ) throws(Refusal) -> (authority: String?, path: String) {
        if target[0] == Byte.slash { return (nil, String(decoding: target, as: UTF8.self)) }
        if target.count == 1, target[0] == Byte.asterisk, method == .options { return (nil, "*") }
        return try absolute(target, method: method)
    }

    /// `http://authority/path?query` (§3.2.2).
    private static func absolute(
        _ target: UnsafeRawBufferPointer, method: HTTPRequest.Method
    ) throws(Refusal) -> (authority: String?, path: String) {
        guard let start = endOfScheme(target) else { throw .malformedTarget }
        let end = target[start...].firstIndex { $0 == Byte.slash || $0 == Byte.question } ?? target.count
        let authority = target.part(start..<end)
        guard Authority.isValid(authority) else { throw .malformedTarget }
        return (String(decoding: authority, as: UTF8.self), path(target.part(end..<target.count), method: method))
    }

    private static func path(_ rest: UnsafeRawBufferPointer, method: HTTPRequest.Method) -> String {
        if rest.isEmpty { return method == .options ? "*" : "/" }
        let text = String(decoding: rest, as: UTF8.self)
        return rest[0] == Byte.slash ? text : "/" + text
    }

    private static func endOfScheme(_ target: UnsafeRawBufferPointer) -> Int? {
        if target.count > 7, target.part(0..<7).equals("http://") { return 7 }
        if target.count > 8, target.part(0..<8).equals("https://") { return 8 }
        return nil
    }
}
