import HTTPTypes

/// What an HTTP/2 request must satisfy beyond what the frame layer checks, and what its response must not carry.
enum StreamRules {
    static func refusal(of request: HTTPRequest, limits: WireLimits) -> Refusal? {
        fieldRefusal(request, limits) ?? targetRefusal(request, limits) ?? authorityRefusal(request)
    }

    /// Fields about an HTTP/1.1 connection make a message malformed (RFC 9113 §8.2.2).
    static func removeConnectionFields(_ fields: inout HTTPFields) {
        for name in connectionFields where fields.contains(name) { fields[name] = nil }
    }

    private static let connectionFields: [HTTPField.Name] =
        [.connection, .transferEncoding, .upgrade] + ["keep-alive", "proxy-connection"].compactMap { HTTPField.Name($0) }

    private static func fieldRefusal(_ request: HTTPRequest, _ limits: WireLimits) -> Refusal? {
        let fields = request.headerFields
        if fields.count > limits.maxHeaderCount { return .headTooLarge }
        if connectionFields.contains(where: fields.contains) { return .malformedField }
        if let expect = fields[.expect], expect.lowercased() != "100-continue" { return .unknownExpectation }
        return lengthRefusal(fields, limits)
    }

    private static func lengthRefusal(_ fields: HTTPFields, _ limits: WireLimits) -> Refusal? {
        guard let length = fields[.contentLength] else { return nil }
        guard (1...18).contains(length.utf8.count), length.utf8.allSatisfy(ByteClass.digit.contains), let count = Int(length) else {
            return .malformedLength
        }
        return count > limits.maxDeclaredBody ? .bodyTooLarge : nil
    }

    private static func targetRefusal(_ request: HTTPRequest, _ limits: WireLimits) -> Refusal? {
        if request.method == .connect { return .connectRefused }
        guard let path = request.path, let first = path.utf8.first, path.utf8.allSatisfy(ByteClass.target.contains) else {
            return .malformedTarget
        }
        if path.utf8.count > limits.maxTargetBytes { return .targetTooLong }
        let isWhole = first == Byte.slash || (path == "*" && request.method == .options)
        return isWhole ? nil : .malformedTarget
    }

    private static func authorityRefusal(_ request: HTTPRequest) -> Refusal? {
        guard var authority = request.authority else { return .missingHost }
        return authority.withUTF8 { Authority.isValid(UnsafeRawBufferPointer($0)) } ? nil : .malformedHost
    }
}
