public import HTTPTypes
import HummingbirdCore

/// Header fields that tell browsers to expect nothing but data from us (OWASP Secure Headers).
public enum SecurityHeaders {
    private static let fields: [(HTTPField.Name, String)] = [
        (.xContentTypeOptions, "nosniff"),
        (.frameOptions, "DENY"),
        (.referrerPolicy, "no-referrer"),
        (.permissionsPolicy, "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ]
    private static let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    private static let transport = "max-age=31536000; includeSubDomains"

    /// All of them; a `Content-Security-Policy` that is already there stays.
    public static func add(to headers: inout HTTPFields, overTLS: Bool) {
        for (name, value) in fields { headers[name] = value }
        if !headers.contains(.contentSecurityPolicy) { headers[.contentSecurityPolicy] = policy }
        if overTLS { headers[.strictTransportSecurity] = transport }
    }

    static func apply(to answer: inout Answer, overTLS: Bool) {
        add(to: &answer.fields, overTLS: overTLS)
    }
}
