public import HTTPTypes
import HummingbirdCore

/// Header fields that tell browsers to expect nothing but data from us (OWASP Secure Headers).
public enum SecurityHeaders {
    // Made once: a field checks its value when it is made.
    private static let fields = [
        HTTPField(name: .xContentTypeOptions, value: "nosniff"),
        HTTPField(name: .frameOptions, value: "DENY"),
        HTTPField(name: .referrerPolicy, value: "no-referrer"),
        HTTPField(name: .permissionsPolicy, value: "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ]
    private static let policy = HTTPField(
        name: .contentSecurityPolicy, value: "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    private static let transport = HTTPField(name: .strictTransportSecurity, value: "max-age=31536000; includeSubDomains")

    /// All of them; a `Content-Security-Policy` that is already there stays.
    public static func add(to headers: inout HTTPFields, overTLS: Bool) {
        for field in fields { headers.set(field) }
        if !headers.contains(policy.name) { headers.append(policy) }
        if overTLS { headers.set(transport) }
    }

    static func apply(to answer: inout Answer, overTLS: Bool) {
        add(to: &answer.fields, overTLS: overTLS)
    }
}

extension HTTPFields {
    /// Puts a field in, in place of those of its name.
    mutating func set(_ field: HTTPField) {
        if contains(field.name) { self[field.name] = nil }
        append(field)
    }
}
