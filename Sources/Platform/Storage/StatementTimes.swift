public import Metrics

/// How long statements take: a histogram for each sort of them, without the time in which they waited for a connection.
public struct StatementTimes: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// A statement by itself that only reads.
        case read
        /// A statement by itself that writes, its commit left out.
        case write
        /// A statement of a transaction.
        case transaction
    }

    private let read, write, transaction: Metrics.Timer

    public init(_ factory: any MetricsFactory) {
        func timer(_ kind: Kind) -> Metrics.Timer {
            Metrics.Timer(label: "martlet_database_statement_seconds", dimensions: [("kind", kind.rawValue)], factory: factory)
        }
        (read, write, transaction) = (timer(.read), timer(.write), timer(.transaction))
    }

    public func record(_ kind: Kind, _ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        // No statement takes a century.
        timer(kind).recordNanoseconds(min(seconds, 3_000_000_000) * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    private func timer(_ kind: Kind) -> Metrics.Timer {
        switch kind {
        case .read: read
        case .write: write
        case .transaction: transaction
        }
    }
}
