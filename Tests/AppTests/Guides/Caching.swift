import Foundation
import MartletApp
import MartletCache
import MartletContract
import MartletCore
import MartletHTTP
import MartletStorage
import MartletTestKit
import MartletTestSupport
import Testing

/// The code of docs/caching.md, as it would stand in a service.
private enum CachingProducts {
    struct Product: Codable, Sendable, Equatable {
        var id: Int
        var name: String
    }

    struct ByID: Codable, Sendable {
        var id: Int
    }

    struct ProductStore: Sendable {
        let database: any Database
        let cache: Cache

        // guide:value
        func product(_ id: Int) async throws -> Product? {
            try await cache.value(for: "product:\(id)", tags: ["product:\(id)"], ttl: .seconds(60)) { try await find(id) }
        }
        // end

        // guide:evict
        func rename(_ id: Int, to name: String) async throws {
            try await database.transaction { tx in
                try await tx.change("UPDATE product SET name = \(name) WHERE id = \(id)")
                try await tx.evict("product:\(id)", "products")
            }
        }
        // end

        // guide:use
        func find(_ id: Int) async throws -> Product? {
            CacheTags.use("product:\(id)")
            return try await database.first(Product.self, "SELECT id, name FROM product WHERE id = \(id)")
        }
        // end
    }

    struct ProductsAPI: API {
        static let shared = ProductsAPI()
        static let name = "products"

        // guide:answer
        public let find = Endpoint<ByID, Product>.get(
            "/api/v1/products/{id}", "Read one product", allow: .anyone, cache: .for(60, stale: 30, tags: "product:{id}"))
        // end
    }
}

@Suite("Caching", .everyDatabase)
struct Caching {
    private typealias Store = CachingProducts.ProductStore

    @Test func readsAfterAWriteWhatWasWritten() async throws {
        try await withApp { app in
            let database = app.app.database
            try await database.schemaTransaction {
                try await $0.run(script: "CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
            }
            try await database.change("INSERT INTO product (id, name) VALUES (1, 'Ink')")
            let store = Store(database: database, cache: app.app.cache)
            #expect(try await store.product(1)?.name == "Ink")
            #expect(try await store.product(2) == nil)
            try await store.rename(1, to: "Paper")
            #expect(try await store.product(1)?.name == "Paper")
        }
    }

    @Test func keepsAnAnswer() async throws {
        let operation = CachingProducts.ProductsAPI.shared.find.operation
        #expect(operation.cache?.tags == ["product:{id}"])
    }

    @Test func isToldInTheGuideWithTheCodeAbove() throws {
        let guide = try Guide.blocks(of: Checkout.text("docs/caching.md"))
        let source = try Guide.parts(of: Checkout.text("Tests/AppTests/Guides/Caching.swift"))
        #expect(guide.keys.sorted() == source.keys.sorted())
        for (name, text) in source { #expect(guide[name] == text, "\(name)") }
    }
}
