import Foundation
import MartletContract
import MartletCore
import MartletService

/// All that is kept about an account as one JSON document, read and sent a page at a time: the receiver's pace is the reader's.
struct AccountExport: Sendable {
    private let data: [PersonalData]
    private let owner: Identifier<Account>
    private let moment: Date

    init(_ data: [PersonalData], of owner: Identifier<Account>, at moment: Date) {
        (self.data, self.owner, self.moment) = (data, owner, moment)
    }

    var document: Document {
        let source = Source(data, owner, moment)
        return Document(
            contentType: "application/json", fileName: "account.json", pieces: AsyncThrowingStream { try await source.next() })
    }

    private actor Source {
        private let owner: Identifier<Account>
        private var opening: String?
        private var rest: ArraySlice<PersonalData>
        private var pages: (@Sendable () async throws -> [[UInt8]]?)?
        private var isFirstPage = true
        private var isDone = false

        init(_ data: [PersonalData], _ owner: Identifier<Account>, _ moment: Date) {
            (self.owner, rest) = (owner, data[...])
            opening = #"{"exported_at":"\#(Timestamp.text(moment))""#
        }

        /// The next piece; `nil` after the last one.
        func next() async throws -> [UInt8]? {
            if let opening {
                self.opening = nil
                return Array(opening.utf8)
            }
            if let pages { return try await page(of: pages) }
            if let data = rest.popFirst() {
                (pages, isFirstPage) = (data.pages(of: owner), true)
                return Array(#","\#(data.name)":["#.utf8)
            }
            if isDone { return nil }
            isDone = true
            return [UInt8(ascii: "}")]
        }

        private func page(of pages: @Sendable () async throws -> [[UInt8]]?) async throws -> [UInt8] {
            guard let elements = try await pages() else {
                self.pages = nil
                return [UInt8(ascii: "]")]
            }
            let separator = isFirstPage ? [] : [UInt8(ascii: ",")]
            isFirstPage = false
            return separator + elements.joined(separator: [UInt8(ascii: ",")])
        }
    }
}
