public import HummingbirdCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Stops accepting at the cap, so that more connections wait in the listener's backlog; accepting goes on when one closes.
public struct ConnectionCap: AvailableConnectionsDelegate {
    /// Descriptors kept for everything else: databases, files, the listener.
    static let reservedDescriptors = 64

    /// The cap in force: the configured one, or what the descriptor limit leaves.
    public let maximum: Int
    private var open = 0

    public init(_ limits: WireLimits) {
        maximum = max(1, min(limits.maxConnections, Self.descriptorLimit - Self.reservedDescriptors))
    }

    public mutating func connectionOpened() { open += 1 }
    public mutating func connectionClosed() { open -= 1 }
    public func isAcceptingNewConnections() -> Bool { open < maximum }

    /// The soft limit of open files; a limit that cannot be read, or is none, does not bound the cap.
    private static var descriptorLimit: Int {
        var limit = rlimit()
        #if canImport(Glibc)
        let result = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #else
        let result = getrlimit(RLIMIT_NOFILE, &limit)
        #endif
        return result == 0 ? Int(clamping: limit.rlim_cur) : .max
    }
}
