import Foundation
import MartletCore

/// A type that is a UUID and nothing else.
protocol UUIDWrapper {
    init(_ uuid: UUID)
}

extension Identifier: UUIDWrapper {}
