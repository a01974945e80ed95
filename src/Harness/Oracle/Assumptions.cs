namespace ShmCheck.Harness.Oracle;

/// <summary>What a verdict takes for granted, in sentences.</summary>
internal sealed class Assumptions
{
    private readonly SortedSet<string> _sentences = new(StringComparer.Ordinal);

    /// <summary>The sentences.</summary>
    public IReadOnlyCollection<string> Sentences => _sentences;

    /// <summary>Takes something for granted.</summary>
    public void Add(string sentence) => _sentences.Add(sentence);
}
