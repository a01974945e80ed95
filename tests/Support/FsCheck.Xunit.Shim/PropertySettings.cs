using System.Globalization;
using System.Reflection;
using Microsoft.FSharp.Collections;
using Xunit.Sdk;

namespace FsCheck.Xunit;

/// <summary>What the attributes of one property say, before FsCheck's own defaults.</summary>
internal sealed record PropertySettings
{
    public static readonly PropertySettings None = new();

    public int? MaxTest { get; init; }

    public int? MaxRejected { get; init; }

    public int? StartSize { get; init; }

    public int? EndSize { get; init; }

    public string? Replay { get; init; }

    public bool? Verbose { get; init; }

    public bool? QuietOnSuccess { get; init; }

    public IReadOnlyList<Type> Arbitrary { get; init; } = [];

    /// <summary>Settings in force for a property: the innermost that are set.</summary>
    public static PropertySettings Of(Type testClass, MethodInfo method)
    {
        PropertySettings settings = None;
        foreach (PropertyAttribute attribute in AttributesInwards(testClass, method))
        {
            settings = attribute.Settings.Over(settings);
        }

        return settings;
    }

    /// <summary>FsCheck's configuration with these settings.</summary>
    public Config ToConfig(IRunner runner, TestOutputHelper output)
    {
        Config config = Config.Default;
        config = config
            .WithMaxTest(MaxTest ?? config.MaxTest)
            .WithMaxRejected(MaxRejected ?? config.MaxRejected)
            .WithStartSize(StartSize ?? config.StartSize)
            .WithEndSize(EndSize ?? config.EndSize)
            .WithQuietOnSuccess(QuietOnSuccess ?? config.QuietOnSuccess)
            .WithArbitrary(ListModule.OfSeq(Arbitrary))
            .WithRunner(runner);
        return WithVerbosity(WithReplay(config), output);
    }

    private static IEnumerable<PropertyAttribute> AttributesInwards(
        Type testClass, MethodInfo method)
    {
        List<PropertyAttribute?> outwards = [method.GetCustomAttribute<PropertyAttribute>()];
        for (Type? type = testClass; type is not null; type = type.DeclaringType)
        {
            outwards.Add(type.GetCustomAttribute<PropertiesAttribute>());
        }

        outwards.Add(testClass.Assembly.GetCustomAttribute<PropertiesAttribute>());
        outwards.Reverse();
        return outwards.OfType<PropertyAttribute>();
    }

    private PropertySettings Over(PropertySettings outer) => new()
    {
        MaxTest = MaxTest ?? outer.MaxTest,
        MaxRejected = MaxRejected ?? outer.MaxRejected,
        StartSize = StartSize ?? outer.StartSize,
        EndSize = EndSize ?? outer.EndSize,
        Replay = Replay ?? outer.Replay,
        Verbose = Verbose ?? outer.Verbose,
        QuietOnSuccess = QuietOnSuccess ?? outer.QuietOnSuccess,
        Arbitrary = [.. Arbitrary, .. outer.Arbitrary],
    };

    private Config WithReplay(Config config)
    {
        if (Replay is null)
        {
            return config;
        }

        string[] parts = Replay.Trim('(', ')').Split(',', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length is not (2 or 3))
        {
            throw new FormatException(
                $"Replay '{Replay}' is not (seed,gamma) or (seed,gamma,size).");
        }

        ulong seed = ulong.Parse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture);
        ulong gamma = ulong.Parse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture);
        return parts.Length == 2
            ? config.WithReplay(seed, gamma)
            : config.WithReplay(
                seed, gamma, int.Parse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture));
    }

    private Config WithVerbosity(Config config, TestOutputHelper output)
    {
        if (Verbose is not true)
        {
            return config;
        }

        var every = Config.Verbose.Every;
        var everyShrink = Config.Verbose.EveryShrink;
        return config
            .WithEvery((test, arguments) =>
            {
                output.WriteLine(every.Invoke(test).Invoke(ListModule.OfSeq(arguments)));
                return "";
            })
            .WithEveryShrink(arguments =>
            {
                output.WriteLine(everyShrink.Invoke(ListModule.OfSeq(arguments)));
                return "";
            });
    }
}
