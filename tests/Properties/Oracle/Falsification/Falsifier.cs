namespace ShmCheck.Properties.Oracle.Falsification;

/// <summary>Falsifies logs as a forger would: one figure or one error at a time.</summary>
public static class Falsifier
{
    /// <summary>Every single falsification of a log, in the order of its lines.</summary>
    /// <param name="text">The log.</param>
    /// <param name="sidecar">Path of its sidecar, if it has one.</param>
    public static IReadOnlyList<Forgery> All(string text, string? sidecar)
    {
        ArgumentNullException.ThrowIfNull(text);
        LogFacts facts = LogFacts.Of(text, sidecar);
        var attaches = new Attaches();
        var structs = new StructForger(facts);
        var outcomes = new OutcomeForger(facts);
        var memory = new MemoryForger(facts);
        var sizes = new SizeForger(facts);
        var forgeries = new List<Forgery>();
        foreach (CallText call in CallScanner.Scan(text, facts.HasOrder))
        {
            forgeries.AddRange(structs.Forge(call));
            forgeries.AddRange(outcomes.Forge(call, attaches));
            forgeries.AddRange(memory.Forge(call, attaches));
            forgeries.AddRange(sizes.Forge(call));
            attaches.Note(call);
        }

        return [.. forgeries.OrderBy(forgery => forgery.Line).ThenBy(forgery => forgery.Offset)];
    }

    /// <summary>Some of them: of every field and doubt a few, the same ones each time.</summary>
    /// <param name="forgeries">All falsifications of a log.</param>
    /// <param name="perField">The most to take of one field.</param>
    /// <param name="seed">Which ones.</param>
    public static IEnumerable<Forgery> Sample(
        IEnumerable<Forgery> forgeries, int perField, uint seed) => forgeries
            .GroupBy(forgery => (forgery.Field, forgery.Doubt))
            .SelectMany(group => group.OrderBy(forgery => Hash(forgery, seed)).Take(perField))
            .OrderBy(forgery => forgery.Line).ThenBy(forgery => forgery.Offset);

    /// <summary>FNV-1a: the same on every machine and in every run.</summary>
    private static uint Hash(Forgery forgery, uint seed)
    {
        const uint basis = 2166136261;
        const uint prime = 16777619;
        string text = $"{seed} {forgery.Line} {forgery.Offset} {forgery.Field} {forgery.New}";
        return text.Aggregate(basis, (hash, letter) => (hash ^ letter) * prime);
    }
}
