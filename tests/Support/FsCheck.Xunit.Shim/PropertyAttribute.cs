using Xunit;
using Xunit.Sdk;

namespace FsCheck.Xunit;

/// <summary>Runs a method as an FsCheck property. Every setting that is not given is taken from
/// the enclosing <see cref="PropertiesAttribute"/>s, then from FsCheck.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property, AllowMultiple = false)]
[XunitTestCaseDiscoverer("FsCheck.Xunit.PropertyDiscoverer", "FsCheck.Xunit.Shim")]
public class PropertyAttribute : FactAttribute
{
    private const int Unset = -1;

    /// <summary>Tests in a run.</summary>
    public int MaxTest
    {
        get => Settings.MaxTest ?? Unset;
        set => Settings = Settings with { MaxTest = value };
    }

    /// <summary>Rejected cases (<c>==&gt;</c>) before a run gives up.</summary>
    public int MaxRejected
    {
        get => Settings.MaxRejected ?? Unset;
        set => Settings = Settings with { MaxRejected = value };
    }

    /// <summary>Size of the first test.</summary>
    public int StartSize
    {
        get => Settings.StartSize ?? Unset;
        set => Settings = Settings with { StartSize = value };
    }

    /// <summary>Size of the last test.</summary>
    public int EndSize
    {
        get => Settings.EndSize ?? Unset;
        set => Settings = Settings with { EndSize = value };
    }

    /// <summary>Where to start from: <c>(seed,gamma)</c> replays a run, <c>(seed,gamma,size)</c>
    /// one test of it. The parentheses may be left out; empty means not set.</summary>
    public string? Replay
    {
        get => Settings.Replay;
        set => Settings = Settings with { Replay = string.IsNullOrEmpty(value) ? null : value };
    }

    /// <summary>Write the arguments of every test and every shrink to the output.</summary>
    public bool Verbose
    {
        get => Settings.Verbose ?? false;
        set => Settings = Settings with { Verbose = value };
    }

    /// <summary>Write nothing to the output when the property holds.</summary>
    public bool QuietOnSuccess
    {
        get => Settings.QuietOnSuccess ?? false;
        set => Settings = Settings with { QuietOnSuccess = value };
    }

    /// <summary>Types whose static members of type <c>Arbitrary&lt;T&gt;</c> are used; those in
    /// front take precedence.</summary>
    public Type[] Arbitrary
    {
        get => [.. Settings.Arbitrary];
        set => Settings = Settings with { Arbitrary = value };
    }

    internal PropertySettings Settings { get; private set; } = PropertySettings.None;
}
