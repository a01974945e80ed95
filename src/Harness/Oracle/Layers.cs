namespace ShmCheck.Harness.Oracle;

/// <summary>Configurations in layers of as many operations done; those that differ in trails only
/// are one. Every operation leads one layer up, so that a layer is complete before it is taken.
/// </summary>
internal sealed class Layers
{
    private readonly SortedDictionary<int, Dictionary<string, Configuration>> _layers = [];

    /// <summary>Number of layers.</summary>
    public int Count => _layers.Count;

    /// <summary>Adds a configuration.</summary>
    public void Add(Configuration configuration)
    {
        int height = configuration.Done.Count;
        if (!_layers.TryGetValue(height, out Dictionary<string, Configuration>? layer))
        {
            _layers[height] = layer = [];
        }

        string digest = configuration.Digest();
        layer[digest] = layer.TryGetValue(digest, out Configuration? known)
            ? known.Merge(configuration) : configuration;
    }

    /// <summary>Configurations of one layer without those that differ in trails only.</summary>
    public static List<Configuration> Distinct(IEnumerable<Configuration> configurations)
    {
        var layers = new Layers();
        foreach (Configuration configuration in configurations)
        {
            layers.Add(configuration);
        }

        return [.. layers._layers.Values.SelectMany(layer => layer.Values)];
    }

    /// <summary>Takes the lowest layer out; null when there is none.</summary>
    public IReadOnlyCollection<Configuration>? TakeLowest()
    {
        if (_layers.Count == 0)
        {
            return null;
        }

        (int height, Dictionary<string, Configuration> layer) = _layers.First();
        _layers.Remove(height);
        return layer.Values;
    }
}
