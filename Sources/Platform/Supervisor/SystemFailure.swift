#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// A call to the system that failed: what was to be done, and why it could not be.
public struct SystemFailure: Error, CustomStringConvertible {
    public let description: String

    /// - Parameter what: In words that follow "could not".
    init(_ what: String, code: Int32 = errno) {
        description = "could not \(what): \(String(cString: strerror(code)))"
    }

    init(_ what: String, because reason: String) { description = "could not \(what): \(reason)" }
}
