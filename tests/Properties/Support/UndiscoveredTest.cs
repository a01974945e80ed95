using System.Reflection;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace ShmCheck.Properties.Support;

/// <summary>Runs a test method in the way a runner would, and tells what came of it. For tests of
/// what makes tests: the method may well fail, so its class is one that no runner discovers.
/// </summary>
internal static class UndiscoveredTest
{
    /// <summary>Discovers and runs the test cases of a method.</summary>
    public static async Task<UndiscoveredTestOutcome> RunAsync(Type testClass, string method)
    {
        UndiscoveredTestOutcome outcome = new();
        foreach (IXunitTestCase testCase in Discover(testClass, method, outcome))
        {
            await testCase.RunAsync(
                outcome,
                outcome,
                constructorArguments: [],
                new ExceptionAggregator(),
                new CancellationTokenSource());
        }

        return outcome;
    }

    private static IEnumerable<IXunitTestCase> Discover(
        Type type, string name, IMessageSink sink)
    {
        TestAssembly assembly = new(Reflector.Wrap(type.Assembly));
        TestClass testClass = new(
            new TestCollection(assembly, collectionDefinition: null, type.Name),
            Reflector.Wrap(type));
        MethodInfo method = type.GetMethod(name)
            ?? throw new MissingMethodException(type.FullName, name);
        TestMethod testMethod = new(testClass, Reflector.Wrap(method));
        IAttributeInfo fact =
            testMethod.Method.GetCustomAttributes(typeof(FactAttribute)).Single();
        return ExtensibilityPointFactory.GetXunitTestCaseDiscoverer(sink, DiscovererOf(fact))
            .Discover(new DefaultOptions(), testMethod, fact);
    }

    private static Type DiscovererOf(IAttributeInfo fact)
    {
        string[] names =
        [
            .. fact.GetCustomAttributes(typeof(XunitTestCaseDiscovererAttribute)).Single()
                .GetConstructorArguments().Cast<string>(),
        ];
        return SerializationHelper.GetType(assemblyName: names[1], typeName: names[0])
            ?? throw new TypeLoadException($"{names[0]} is not in {names[1]}.");
    }

    private sealed class DefaultOptions : ITestFrameworkDiscoveryOptions
    {
        public TValue GetValue<TValue>(string name) => default!;

        public void SetValue<TValue>(string name, TValue value) =>
            throw new NotSupportedException();
    }
}
