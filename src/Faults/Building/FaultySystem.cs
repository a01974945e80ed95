using System.Runtime.Loader;
using ShmCheck.Abi;
using ShmCheck.Faults.Patches;

namespace ShmCheck.Faults.Building;

/// <summary>The implementation with faults in it, as a system under test. Its loops and its stack
/// have bounds, so that a fault that makes either endless shows as an exception. It shares the Abi
/// with everything else and is unloaded when disposed of.</summary>
public sealed class FaultySystem : ISystemFactory, IDisposable
{
    private readonly AssemblyLoadContext _context;
    private readonly ISystemFactory _factory;

    private FaultySystem(string name, AssemblyLoadContext context, ISystemFactory factory)
    {
        Name = name;
        _context = context;
        _factory = factory;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public SystemCapabilities Capabilities => _factory.Capabilities;

    /// <summary>Compiles and loads the implementation with some faults in it; with none, what is
    /// left are the bounds.</summary>
    /// <exception cref="FaultException">A fault does not apply, or what comes out does not
    /// compile.</exception>
    public static FaultySystem Of(params ReadOnlySpan<Fault> faults)
    {
        string name = faults.IsEmpty ? "impl"
            : $"impl with {string.Join(", ", faults.ToArray().Select(f => f.Id))}";
        byte[] assembly = FaultyBuild.Compile(faults);
        var context = new AssemblyLoadContext(name, isCollectible: true);
        Type factory = context.LoadFromStream(new MemoryStream(assembly)).GetTypes()
            .Single(type => typeof(ISystemFactory).IsAssignableFrom(type) && !type.IsAbstract);
        return new FaultySystem(
            name, context, (ISystemFactory)Activator.CreateInstance(factory)!);
    }

    /// <inheritdoc/>
    public ISystemUnderTest Start(MachineConfig config) => _factory.Start(config);

    /// <inheritdoc/>
    public void Dispose() => _context.Unload();
}
